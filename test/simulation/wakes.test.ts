import { describe, expect, it } from 'vitest';
import { type Load, watchLoad } from './load.ts';

const seconds = 180;

async function costOf(load: Partial<Load>): Promise<{ readonly emptyPulls: number; readonly meanWaitMs: number }> {
  const common = { handlerMs: 10, roundTripMs: 20, processes: 1, concurrency: 10, isOwn: true, seconds };
  const { emptyPulls, waits } = await watchLoad({ messagesPerSecond: 20, ...common, ...load });
  const meanWaitMs = waits.reduce((sum, wait) => sum + wait, 0) / Math.max(1, waits.length);
  return { emptyPulls: emptyPulls / (seconds / 60), meanWaitMs };
}

// Wakes that brought nothing, where messages come at random.
describe('messages sent at random through the handle that consumes them', () => {
  it('cost hardly any empty pull, and wait for one round trip', async () => {
    const { emptyPulls, meanWaitMs } = await costOf({});
    expect(emptyPulls).toBeLessThanOrEqual(20);
    expect(meanWaitMs).toBeLessThanOrEqual(35);
  });

  it('cost few while the queue delays them', async () => {
    expect((await costOf({ delaySeconds: 600 })).emptyPulls).toBeLessThanOrEqual(40);
  });

  it('wait hardly longer once their delay is over', async () => {
    expect((await costOf({ delaySeconds: 1 })).meanWaitMs).toBeLessThanOrEqual(65);
  });

  it('cost few with eight consumers', async () => {
    const { emptyPulls, meanWaitMs } = await costOf({ messagesPerSecond: 1, consumers: 8 });
    expect(emptyPulls).toBeLessThanOrEqual(90);
    expect(meanWaitMs).toBeLessThanOrEqual(35);
  });

  it('wait no longer than others when a second process shares the queue', async () => {
    const { meanWaitMs } = await costOf({ messagesPerSecond: 5, processes: 2 });
    expect(meanWaitMs).toBeLessThanOrEqual(150);
  });
});
