import { describe, expect, it } from 'vitest';
import { measure, sinks } from '../../bench/write-million.ts';
import { toWritable } from '../../src/node.ts';
import { openTwoQueues } from './two-queues.ts';

describe.each(Object.entries(sinks))('%s', (_, write) => {
  it('writes 100 000 small messages with at most 1 010 requests, none twice', async () => {
    const queues = openTwoQueues();
    await queues.run(write(queues.out, 100_000));
    expect(queues.outCalls.of('push').length).toBeLessThanOrEqual(1_010);
    expect(queues.entries('pushed', 'out')).toHaveLength(100_000);
    const ids = queues.outCalls.of('push').flatMap(({ messages }) => messages.map(({ body }) => JSON.stringify(body)));
    expect(new Set(ids).size).toBe(100_000);
    queues.expectGone();
  }, 30_000);

  // bench/write-million.ts is the same with a million.
  it('keeps its memory flat', async () => {
    const { heapGrowthBytes, pushed } = await measure(write, 100_000);
    expect(pushed).toBe(100_000);
    expect(heapGrowthBytes).toBeLessThan(10_000_000);
  }, 30_000);
});

describe('toWritable()', () => {
  it('needs no more requests when every body fills half of one', async () => {
    const queues = openTwoQueues();
    const stream = toWritable(queues.out);
    const body = 'x'.repeat(127_000);
    for (let count = 0; count < 40; count += 1) stream.write(body);
    await queues.run(new Promise<void>((resolve) => void stream.end(resolve)));
    expect(queues.outCalls.of('push')).toHaveLength(20);
    expect(queues.outCalls.mostPushes).toBe(4);
  });
});
