import { describe, expectTypeOf, it } from 'vitest';
import { type ConsumerSummary, type MessageBatch, openQueue, type ProcessBatchesOptions } from '../../src/index.ts';

interface Env {
  readonly DB: { readonly name: string };
}

/** As the types of Workers have it. */
type WorkersHandler = (
  batch: { readonly queue: string },
  env: Env,
  ctx: { waitUntil(promise: Promise<unknown>): void },
) => void | Promise<void>;

const queue = openQueue<{ n: number }>({ queueId: 'q', accountId: 'a', apiToken: 't' });
const env: Env = { DB: { name: 'db' } };

describe('processBatches()', () => {
  it('needs the env that the handler declares', () => {
    const handler = async (batch: MessageBatch<{ n: number }>, { DB }: Env): Promise<void> => {
      expectTypeOf(batch.messages[0]?.body).toEqualTypeOf<{ n: number } | undefined>();
      expectTypeOf(DB.name).toBeString();
    };
    // @ts-expect-error the handler would read a field of undefined
    void queue.processBatches(handler);
    // @ts-expect-error as well
    void queue.processBatches(handler, {});
    // @ts-expect-error as well
    void queue.processBatches(handler, { size: 5 });
    // @ts-expect-error that is not its env
    void queue.processBatches(handler, { env: { DB: 5 } });
    // @ts-expect-error nor is that
    void queue.processBatches(handler, { env: undefined });
    expectTypeOf(queue.processBatches(handler, { env })).resolves.toEqualTypeOf<ConsumerSummary>();
    void queue.processBatches(handler, { env, size: 5, concurrency: 2 });
  });

  it('needs it for the handler of a Worker, and one written in place', () => {
    const worker = {} as { queue: WorkersHandler };
    // @ts-expect-error it takes an env
    void queue.processBatches(worker.queue);
    expectTypeOf(queue.processBatches(worker.queue, { env })).resolves.toEqualTypeOf<ConsumerSummary>();
    // @ts-expect-error it takes an env
    void queue.processBatches((batch, given: Env) => console.log(batch.queue, given.DB));
    void queue.processBatches((batch, given: Env) => console.log(batch.messages[0]?.body.n, given.DB), { env });
    // @ts-expect-error it takes an env
    void queue.processBatches((_batch, _env: string, ctx) => ctx.waitUntil(Promise.resolve()));
  });

  it('needs none for a handler that takes none, or any', () => {
    void queue.processBatches(() => undefined);
    void queue.processBatches(async (batch) => {
      expectTypeOf(batch).toEqualTypeOf<MessageBatch<{ n: number }>>();
      for (const { body } of batch.messages) expectTypeOf(body.n).toBeNumber();
    });
    void queue.processBatches((batch) => batch.ackAll(), { size: 5 });
    void queue.processBatches((_batch, given) => expectTypeOf(given).toBeUnknown());
    void queue.processBatches((_batch, given, ctx) => {
      expectTypeOf(given).toBeUnknown();
      ctx.waitUntil(Promise.resolve());
    });
    void queue.processBatches((_batch, _env: unknown) => undefined);
    void queue.processBatches((_batch, _env: undefined) => undefined);
    void queue.processBatches((_batch, _env?: Env) => undefined);
    void queue.processBatches((_batch, _env: Env | undefined) => undefined, { size: 5 });
    // oxlint-disable-next-line typescript/no-explicit-any
    void queue.processBatches((_batch, _env: any) => undefined);
  });

  it('gives a handler written in place the env of its options', () => {
    void queue.processBatches(
      (batch, given) => {
        expectTypeOf(batch).toEqualTypeOf<MessageBatch<{ n: number }>>();
        expectTypeOf(given).toEqualTypeOf<Env>();
      },
      { env },
    );
    void queue.processBatches<Env>((_batch, given) => expectTypeOf(given).toEqualTypeOf<Env>(), { env });
    // @ts-expect-error it is said to be one
    void queue.processBatches<Env>((_batch, given) => console.log(given));
  });

  it('takes options that were made before', () => {
    const options: ProcessBatchesOptions<{ n: number }> = { size: 5 };
    const done = queue.processBatches((batch) => batch.ackAll(), options);
    expectTypeOf(done).resolves.toEqualTypeOf<ConsumerSummary>();
    const withEnv = { size: 5, env } as const;
    void queue.processBatches((_batch, given: Env) => console.log(given.DB), withEnv);
    const perhaps: ProcessBatchesOptions<{ n: number }, Env> = { size: 5 };
    // @ts-expect-error they may have none
    void queue.processBatches((_batch, given: Env) => console.log(given.DB), perhaps);
  });

  it('takes the other options as they are', () => {
    // @ts-expect-error there is no such option
    void queue.processBatches((batch) => batch.ackAll(), { sizes: 5 });
    void queue.processBatches((batch) => batch.ackAll(), {
      retryDelaySeconds: (message) => {
        expectTypeOf(message.body).toEqualTypeOf<{ n: number }>();
        return 5;
      },
    });
    void openQueue({ queueId: 'q' }).processBatches(({ messages: [first] }) => expectTypeOf(first?.body).toBeUnknown());
  });
});
