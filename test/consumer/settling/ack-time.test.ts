import { describe, expect, it } from 'vitest';
import { quantile } from '../../../bench/statistics.ts';
import type { LeasedMessage } from '../../../src/index.ts';
import { seededRandom } from '../../simulation/seeded-random.ts';
import { type Jobs, openJobs } from '../jobs.ts';

const roundTripMs = 20;
const seconds = 10;

/** A message is acknowledged after some work. */
type Handle = (message: LeasedMessage) => Promise<void>;
type Consume = (jobs: Jobs<unknown>, handle: Handle, signal: AbortSignal) => Promise<unknown>;

/** How long each acknowledgement took to be confirmed, in milliseconds, while messages kept coming. */
async function ackTimes(messagesPerSecond: number, handlerMs: number, consume: Consume): Promise<readonly number[]> {
  const jobs = openJobs({}, { latencyMs: roundTripMs });
  const random = seededRandom(1);
  const abort = new AbortController();
  const times: number[] = [];
  const handle: Handle = async (message) => {
    await jobs.wait(handlerMs * (0.5 + random()));
    const from = jobs.clock.now();
    void message.ack().then(() => times.push(jobs.clock.now() - from));
  };
  const done = consume(jobs, handle, abort.signal);
  let due = 0;
  for (let at = 0; at < seconds * 1_000; at += 10) {
    for (due += messagesPerSecond / 100; due >= 1; due -= 1) jobs.push({});
    await jobs.clock.advance(10);
  }
  abort.abort();
  await jobs.run(done);
  return times;
}

function expectSoon(times: readonly number[], messagesPerSecond: number): void {
  expect(times.length).toBeGreaterThan(0.9 * seconds * messagesPerSecond);
  expect(quantile(times, 0.99)).toBeLessThanOrEqual(2.5 * roundTripMs);
}

describe('the time from ack() to its confirmation, of 99 in 100 messages', () => {
  it.each([
    [20, 10, 10],
    [100, 50, 10],
    [500, 100, 80],
    [2_000, 20, 60],
    [50, 1_000, 80],
  ])(
    'is at most 2.5 round trips with %i messages a second and handlers of %i ms, %i at once',
    async (messagesPerSecond, handlerMs, concurrency) => {
      const times = await ackTimes(messagesPerSecond, handlerMs, (jobs, handle, signal) =>
        jobs.queue.process((message) => handle(message), { concurrency, signal }),
      );
      expectSoon(times, messagesPerSecond);
    },
  );

  it.each([
    [20, 10],
    [80, 10],
    [500, 1],
  ])('is at most 2.5 round trips with %i messages a second in a loop, each %i ms long', async (rate, handlerMs) => {
    const times = await ackTimes(rate, handlerMs, async (jobs, handle, signal) => {
      for await (const message of jobs.queue.consume({ signal })) await handle(message);
    });
    expectSoon(times, rate);
  });
});
