import { describe, expectTypeOf, it } from 'vitest';
import {
  type ConsumerControl,
  type ConsumerStats,
  type ConsumerSummary,
  openQueue,
  type Processor,
} from '../../src/index.ts';

const queue = openQueue<{ n: number }>({ queueId: 'q', accountId: 'a', apiToken: 't' });

describe('Processor', () => {
  it('is what process() and processBatches() give', () => {
    expectTypeOf(queue.process(() => undefined)).toEqualTypeOf<Processor>();
    expectTypeOf(queue.processBatches(() => undefined)).toEqualTypeOf<Processor>();
  });

  it('is a promise of the summary wherever one is taken', async () => {
    const done: Promise<ConsumerSummary> = queue.process(() => undefined);
    expectTypeOf(await done).toEqualTypeOf<ConsumerSummary>();
    expectTypeOf(await queue.process(() => undefined)).toEqualTypeOf<ConsumerSummary>();
    const giveBack = async () => queue.process(() => undefined);
    expectTypeOf(giveBack).returns.toEqualTypeOf<Promise<ConsumerSummary>>();
    const both = Promise.all([queue.process(() => undefined), queue.processBatches(() => undefined)]);
    expectTypeOf(both).resolves.toEqualTypeOf<[ConsumerSummary, ConsumerSummary]>();
    expectTypeOf(queue.process(() => undefined).catch(() => 5)).toEqualTypeOf<Promise<ConsumerSummary | number>>();
    expectTypeOf(queue.process(() => undefined).finally(() => 5)).toEqualTypeOf<Promise<ConsumerSummary>>();
  });

  it('steers the handlers', async () => {
    await using processor = queue.process(() => undefined);
    expectTypeOf(processor).toExtend<ConsumerControl>();
    expectTypeOf(processor.stats).toEqualTypeOf<ConsumerStats>();
    expectTypeOf(processor.closed).toEqualTypeOf<Promise<ConsumerSummary>>();
    expectTypeOf(processor.close({ graceMs: 1_000 })).toEqualTypeOf<Promise<ConsumerSummary>>();
    processor.concurrency = 5;
    // @ts-expect-error not a number
    processor.concurrency = '5';
    // @ts-expect-error not to be set
    processor.stats = queue.consume().stats;
  });
});
