import { performance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/broker.ts';
import { defaultBehaviour } from '../../../src/broker/behaviour.ts';
import { textBody } from '../../../src/broker/queue/body-codec.ts';
import { Identities } from '../../../src/broker/queue/identities.ts';
import type { MessageQueue } from '../../../src/broker/queue/queue.ts';
import { QueueRegistry } from '../../../src/broker/queue/queue-registry.ts';

const body = textBody('x');

function queueOf(count: number): MessageQueue {
  const { random } = Math;
  const context = { clock: new ManualClock(), random, identities: new Identities(random), onJournal: undefined };
  const queue = new QueueRegistry({ ...context, repeats: () => false, behaviour: defaultBehaviour }).open('jobs');
  for (let index = 0; index < count; index += 1) queue.push(body);
  return queue;
}

/** The time of some batches of pulling, acking, retrying, pushing and peeking, which leaves the size as it was. */
function timeOfWork(queue: MessageQueue): number {
  const start = performance.now();
  for (let batch = 0; batch < 20; batch += 1) {
    queue.pull(100).forEach(({ leaseId, attempts }, index) => {
      if (attempts === 1 && index % 10 === 0) return void queue.retry(leaseId);
      queue.ack(leaseId);
      queue.push(body);
    });
    queue.peek(10);
    queue.metrics();
  }
  return performance.now() - start;
}

describe('a queue of a million messages', () => {
  it('costs about as much a message as one of ten thousand, and less than 1 kB', { timeout: 60_000 }, () => {
    const small = queueOf(10_000);
    const before = process.memoryUsage().heapUsed;
    const large = queueOf(1_000_000);
    expect((process.memoryUsage().heapUsed - before) / 1_000_000).toBeLessThan(1_000);
    // By turns, and the best of each, so that a pause of the machine or the garbage collector counts for neither.
    const rounds = Array.from({ length: 8 }, () => ({ small: timeOfWork(small), large: timeOfWork(large) }));
    const best = (size: 'small' | 'large'): number => Math.min(...rounds.slice(2).map((round) => round[size]));
    expect(best('large') / best('small')).toBeLessThan(5);
    expect(large.metrics().backlogCount).toBe(1_000_000);
  });
});
