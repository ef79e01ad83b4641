import { describe, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import type { ConsumeOptions, Consumer, LeasedMessage, MessageHandler } from '../../src/index.ts';
import { openQueue } from '../../src/index.ts';
import type { BatchSourceOptions, PushHandlerOptions, QueueBinding } from '../../src/workers.ts';
import { fromBatch, fromBinding, toQueueHandler } from '../../src/workers.ts';

// As the types of the platform have them, as far as they meet.
interface Message<Body = unknown> {
  readonly id: string;
  readonly timestamp: Date;
  readonly body: Body;
  readonly attempts: number;
  retry(options?: { delaySeconds?: number }): void;
  ack(): void;
}
interface MessageBatch<Body = unknown> {
  readonly messages: readonly Message<Body>[];
  readonly queue: string;
  retryAll(options?: { delaySeconds?: number }): void;
  ackAll(): void;
}
type Content = 'text' | 'bytes' | 'json' | 'v8';
interface Binding<Body = unknown> {
  metrics(): Promise<{ backlogCount: number; backlogBytes: number; oldestMessageTimestamp?: Date }>;
  send(message: Body, options?: { contentType?: Content; delaySeconds?: number }): Promise<{ metadata: object }>;
  sendBatch(
    messages: Iterable<{ body: Body; contentType?: Content; delaySeconds?: number }>,
    options?: { delaySeconds?: number },
  ): Promise<{ metadata: object }>;
}
interface ExecutionContext {
  waitUntil(promise: Promise<unknown>): void;
}
interface ExportedHandler<Bound> {
  queue?: (batch: MessageBatch, env: Bound, ctx: ExecutionContext) => void | Promise<void>;
}
interface Job {
  readonly n: number;
}
interface Env {
  readonly JOBS: Binding<Job>;
}

declare const env: Env;
declare const batch: MessageBatch<Job>;

describe('leasestream/workers', () => {
  it('takes what the platform gives', () => {
    const queue = openQueue<Job>(fromBinding(env.JOBS));
    expectTypeOf(queue.send).parameter(0).toEqualTypeOf<Job>();
    expectTypeOf(fromBatch<Job>(batch)).toEqualTypeOf<Consumer<Job>>();
    expectTypeOf(fromBatch(batch, { schema: z.object({ n: z.number() }) })).toEqualTypeOf<Consumer<{ n: number }>>();
  });

  it('makes what the platform takes', () => {
    const worker = {
      queue: toQueueHandler<Job, Env>(async ({ body }, signal, context) => {
        expectTypeOf(body).toEqualTypeOf<Job>();
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
        await context.env.JOBS.send(body);
      }),
    } satisfies ExportedHandler<Env>;
    expectTypeOf(worker.queue).returns.toEqualTypeOf<Promise<void>>();
  });

  it('takes a handler of `process`, and types its messages by a schema', () => {
    const handler: MessageHandler<Job> = ({ body }) => body.n;
    expectTypeOf(toQueueHandler(handler)).toBeFunction();
    const schema = z.object({ at: z.coerce.date() });
    const timed = toQueueHandler((message: LeasedMessage<{ at: Date }>) => message.body.at.getTime(), { schema });
    expectTypeOf(timed).toBeFunction();
  });

  it('knows no options of consumers that pull', () => {
    expectTypeOf<'visibilityTimeoutMs' | 'maxPulls'>().not.toExtend<keyof PushHandlerOptions>();
    expectTypeOf<keyof ConsumeOptions & keyof BatchSourceOptions>().toEqualTypeOf<'settle' | 'onInvalid' | 'onEvent'>();
    expectTypeOf<{ readonly send: () => void }>().not.toExtend<QueueBinding>();
  });
});
