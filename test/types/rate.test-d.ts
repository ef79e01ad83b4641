import { describe, expectTypeOf, it } from 'vitest';
import { type ConsumeOptions, openQueue, type StartRate } from '../../src/index.ts';
import { toReadable } from '../../src/node.ts';
import { toObservable } from '../../src/rxjs.ts';
import { toReadableStream } from '../../src/web.ts';

const queue = openQueue({ queueId: 'q', accountId: 'a', apiToken: 't' });
const rate: StartRate = { limit: 50, perMs: 1_000 };

describe('rate', () => {
  it('is taken where the consumer starts the work', () => {
    expectTypeOf<ConsumeOptions['rate']>().toEqualTypeOf<StartRate | undefined>();
    void queue.process(() => undefined, { rate, concurrency: 5 });
    void queue.processBatches(() => undefined, { rate, size: 5 });
    void queue.consume({ rate });
    void queue.batches({ rate });
  });

  it('is refused where somebody else does', () => {
    // @ts-expect-error an observable hands messages to whoever starts the work
    expectTypeOf(toObservable(queue, { rate })).toBeObject();
    // @ts-expect-error a stream as well
    expectTypeOf(toReadable(queue, { rate })).toBeObject();
    // @ts-expect-error and a web stream
    expectTypeOf(toReadableStream(queue, { rate })).toBeObject();
  });
});
