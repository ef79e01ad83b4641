// How leases fare when handlers compute and the event loop is never free: npm run bench:leases -- --sync
//
// A row for each way to read a queue, time of work and length of a lease; the service is a process of its own. `each` is
// what a handler computes each time it is called, with a message or a batch. Printed are what was dead-lettered unseen,
// handled again and started after its margin, the deliveries for each message, and the time as a multiple of the work's.
// The first row is measured once before, unseen.
import { openQueue } from '../src/index.ts';
import { computingSurfaces } from './computing-surfaces.ts';
import type { JournalTally } from './journal-process.ts';
import { ask, start } from './processes.ts';

const works = [
  { eachMs: 5, messages: 600 },
  { eachMs: 60, messages: 60 },
  { eachMs: 150, messages: 40 },
  { eachMs: 300, messages: 30 },
];
const leasesMs = [500, 1_000, 3_000];
const maxRetries = 3;

/** How many messages a batch has, at most. */
const batchSize = 10;

interface Row {
  readonly surface: string;
  readonly eachMs: number;
  readonly messages: number;
  readonly leaseMs: number;
  readonly concurrency: number;
  readonly consumers: number;
}

/** Which of the rows are measured. */
interface Choice {
  readonly quick: boolean;
  /** @defaultValue all */
  readonly surface?: string | undefined;
  /** A time in milliseconds. @defaultValue all */
  readonly work?: string | undefined;
}

function* rows({ quick, surface: only, work }: Choice): Generator<Row> {
  for (const [surface, { isConcurrent, isBatched }] of Object.entries(computingSurfaces)) {
    if (only !== undefined && surface !== only) continue;
    for (const { eachMs, messages: calls } of works) {
      if (work !== undefined && eachMs !== Number(work)) continue;
      const messages = isBatched ? batchSize * calls : calls;
      for (const leaseMs of leasesMs.filter((ms) => eachMs < ms / 3)) {
        for (const concurrency of isConcurrent ? [1, 10, 50, 200] : [1]) {
          for (const consumers of [1, 2]) {
            if (!quick || isHard({ eachMs, leaseMs, concurrency, isConcurrent })) {
              yield { surface, eachMs, messages, leaseMs, concurrency, consumers };
            }
          }
        }
      }
    }
  }
}

/** What a quick run keeps: the work that fits its lease least often, and the shortest. */
function isHard(row: { eachMs: number; leaseMs: number; concurrency: number; isConcurrent: boolean }): boolean {
  const isTight = row.eachMs > row.leaseMs / 4 || (row.eachMs === 5 && row.leaseMs === 500);
  return isTight && (!row.isConcurrent || row.concurrency === 10 || row.concurrency === 200);
}

/** Keeps the event loop until so many milliseconds after a time. */
function compute(from: number, ms: number): void {
  for (const until = from + ms; performance.now() < until;);
}

/** What became of the messages of one row. */
interface Outcome {
  readonly unseen: number;
  readonly repeats: number;
  readonly late: number;
  readonly deliveries: number;
  readonly wall: number;
}

const service = start('journal-process');

async function measure(row: Row): Promise<Outcome> {
  const { surface, eachMs, messages, leaseMs, concurrency, consumers } = row;
  const name = 'work';
  const connection = await ask<Parameters<typeof openQueue>[0]>(service, { name, messages, maxRetries });
  const handled = new Map<string, number>();
  const done = new AbortController();
  let late = 0;
  let lastAt = 0;
  let workedMs = 0;
  const read = computingSurfaces[surface]?.read;
  if (read === undefined) throw new Error(`There is no surface ${surface}`);
  const from = performance.now();
  const reading = (): Promise<unknown> =>
    read({
      queue: openQueue(connection),
      visibilityTimeoutMs: leaseMs,
      concurrency,
      batchSize,
      signal: done.signal,
      work: (taken) => {
        // The notes are a part of the handler's work.
        const workFrom = performance.now();
        for (const { id, leaseRemainingMs } of taken) {
          handled.set(id, (handled.get(id) ?? 0) + 1);
          // No margin is less than a twentieth; the millisecond is the clock's grain.
          if (leaseRemainingMs < leaseMs / 20 - 1) late += 1;
        }
        compute(workFrom, eachMs);
        lastAt = performance.now();
        workedMs += lastAt - workFrom;
        if (handled.size === messages) setTimeout(() => done.abort(), 2 * leaseMs);
      },
    });
  const timer = setTimeout(() => done.abort(), 5 * messages * eachMs + 20_000);
  await Promise.all(Array.from({ length: consumers }, reading));
  clearTimeout(timer);
  const { deliveries, removed } = await ask<JournalTally>(service, { name, messages: 0, maxRetries });
  return {
    unseen: removed.filter((id) => !handled.has(id)).length,
    repeats: [...handled.values()].reduce((sum, times) => sum + times - 1, 0),
    late,
    deliveries: deliveries / messages,
    wall: (lastAt - from) / workedMs,
  };
}

function isWithinBars({ unseen, repeats, late, deliveries, wall }: Outcome): boolean {
  return unseen + repeats + late === 0 && deliveries <= 1.1 && wall <= 1.1;
}

/** Measures and prints the chosen rows, and how many are within the bars. */
export async function measureComputing(choice: Choice): Promise<void> {
  console.log('surface         each lease handlers consumers  unseen again late deliveries  time');
  let within = 0;
  let count = 0;
  const chosen = [...rows(choice)];
  // Not shown: the first to be measured would have its code compiled.
  if (chosen[0] !== undefined) await measure(chosen[0]);
  for (const row of chosen) {
    const outcome = await measure(row);
    const isWithin = isWithinBars(outcome);
    count += 1;
    if (isWithin) within += 1;
    const { unseen, repeats, late, deliveries, wall } = outcome;
    const cells: readonly [unknown, number][] = [
      [row.eachMs, 5],
      [row.leaseMs, 6],
      [row.concurrency, 9],
      [row.consumers, 10],
      [unseen, 8],
      [repeats, 6],
      [late, 5],
      [deliveries.toFixed(2), 11],
      [wall.toFixed(3), 6],
    ];
    console.log(
      row.surface.padEnd(15) +
        cells.map(([value, width]) => String(value).padStart(width)).join('') +
        (isWithin ? '' : '  beyond a bar'),
    );
  }
  console.log(`${within} of ${count} within: none unseen, again or late, deliveries and time at most 1.10`);
  service.kill();
}
