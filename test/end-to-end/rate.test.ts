import { expect, it } from 'vitest';
import { systemClock } from '../../src/contract/system-clock.ts';
import { createBroker, type JournalEntry } from '../../src/broker.ts';
import { openQueue } from '../../src/index.ts';

it('starts over a socket no more than a rate allows in any stretch, and repeats and gives back none', async () => {
  const journal: JournalEntry[] = [];
  const broker = createBroker({ onJournal: (entry) => void journal.push(entry) });
  await using server = await broker.listen();
  // What the consumer took for the time when it started a handler: the machine may be busy before that can read it.
  let startedAt = 0;
  const monotonic = (): number => (startedAt = performance.now());
  const queue = openQueue<number>({ ...server.queue('jobs'), clock: { ...systemClock, monotonic } });
  const rate = { limit: 20, perMs: 200 };
  const messages = 10 * rate.limit;
  await queue.sendBatch(Array.from({ length: messages }, (_, body) => ({ body })));
  const times: number[] = [];
  const summary = await queue.process(() => void times.push(startedAt), {
    rate,
    concurrency: 50,
    visibilityTimeoutMs: 1_000,
    stopWhenEmpty: true,
  });
  expect(summary).toMatchObject({ delivered: messages, acked: messages, released: 0, dropped: 0 });
  expect(journal.filter(({ type }) => type === 'delivered')).toHaveLength(messages);
  const stretches = times.slice(rate.limit).map((time, index) => time - (times[index] ?? time));
  // A reading is good for a millisecond, and the wall clock, which counts where it is ahead, may gain on this one.
  expect(Math.min(...stretches) / rate.perMs).toBeGreaterThan(0.95);
});
