// How leases fare over a real socket: npm run bench:leases
//
// Two `for await` loops share 300 messages under a lease of 2 s. Printed are the deliveries and repeats by the broker's
// journal, and the time as a multiple of what the handlers alone took in the same run. Then, with requests that take 20 ms,
// the time from `ack()` to its confirmation as a multiple of the median round trip of the run. With `--sync` the handlers
// compute, see computing-leases.ts; `--quick` takes a few of its rows, `--surface NAME` one of its ways to read,
// `--work MS` one of its times.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createBroker, type JournalEntry } from '../src/broker.ts';
import { openQueue } from '../src/index.ts';
import { median, quantile } from './statistics.ts';

const messages = 300;
const loops = 2;

/** Runs the loops over a fresh queue; `handlerMs` is asked for the time of each handler, by how many were started. */
async function measure(name: string, handlerMs: (started: number) => number): Promise<void> {
  const journal: JournalEntry[] = [];
  const broker = createBroker({ onJournal: (entry) => void journal.push(entry) });
  await using server = await broker.listen();
  const queue = openQueue<number>(server.queue('work', { maxRetries: 3 }));
  await queue.sendBatch(Array.from({ length: messages }, (_, body) => ({ body })));
  let started = 0;
  let workedMs = 0;
  const handled = new Map<number, number>();
  const loop = async (): Promise<void> => {
    for await (const { body } of queue.consume({ visibilityTimeoutMs: 2_000, stopWhenEmpty: true })) {
      const from = performance.now();
      handled.set(body, (handled.get(body) ?? 0) + 1);
      started += 1;
      await sleep(handlerMs(started));
      workedMs += performance.now() - from;
      if (handled.size === messages) lastAt = performance.now();
    }
  };
  let lastAt = 0;
  const from = performance.now();
  await Promise.all(Array.from({ length: loops }, loop));
  const deliveries = journal.filter(({ type }) => type === 'delivered').length;
  const repeated = [...handled.values()].reduce((sum, times) => sum + times - 1, 0);
  const lost = journal.filter(({ type }) => type === 'removed' || type === 'deadLettered').length;
  const ratio = ((lastAt - from) / (workedMs / loops)).toFixed(3);
  console.log(
    `${name}: ${handled.size} handled, ${deliveries} deliveries, ${repeated} handled again, ${lost} lost, ${ratio} × ideal`,
  );
}

/** 50 handlers of 100 ms settle by hand, over a network that takes its time; the first 500 messages are a warm-up. */
async function measureAcks(): Promise<void> {
  const broker = createBroker();
  await using server = await broker.listen();
  const roundTrips: number[] = [];
  const distantFetch: typeof fetch = async (...request) => {
    const from = performance.now();
    await sleep(10);
    const response = await fetch(...request);
    await sleep(10);
    if (handled > 500) roundTrips.push(performance.now() - from);
    return response;
  };
  const queue = openQueue({ ...server.queue('work'), fetch: distantFetch });
  for (let body = 0; body < 3_000; body += 1) broker.push('work', { body });
  const acks: number[] = [];
  let handled = 0;
  const settle = async (ack: () => Promise<unknown>): Promise<void> => {
    handled += 1;
    const isWarmUp = handled <= 500;
    const from = performance.now();
    await ack();
    if (!isWarmUp) acks.push(performance.now() - from);
  };
  await queue.process(
    async (message) => {
      await sleep(50 + 100 * Math.random());
      void settle(() => message.ack());
    },
    { concurrency: 50, stopWhenEmpty: true },
  );
  const usualMs = median(roundTrips);
  const [half, most, request] = [quantile(acks, 0.5), quantile(acks, 0.99), quantile(roundTrips, 0.99)].map((ms) =>
    (ms / usualMs).toFixed(2),
  );
  console.log(
    `ack() to confirmation: ${half} usual round trips for half of ${acks.length}, ${most} for 99 %, where 99 % of the requests took ${request}`,
  );
}

const { values } = parseArgs({
  options: {
    sync: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    surface: { type: 'string' },
    work: { type: 'string' },
  },
});

if (values.sync) {
  const { measureComputing } = await import('./computing-leases.ts');
  await measureComputing(values);
} else {
  await measure('50 ms', () => 50);
  await measure('5 ms, then 200 ms', (started) => (started <= messages / 2 ? 5 : 200));
  await measureAcks();
}
