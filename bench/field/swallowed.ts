// A way that swallows one request in 20, half of them after they took effect.
import { setTimeout as sleep } from 'node:timers/promises';
import { openQueue } from '../../src/index.ts';
import { quantile } from '../statistics.ts';
import type { Measure, Scale, Scenario } from './row.ts';
import { Service } from './service.ts';

const queues = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const pollMs = 1_000;
const meanMs = 700;
const leaseMs = 5_000;

/** What readers of trickling queues saw. */
interface Seen {
  /** For how long messages waited beyond the time between two polls, in milliseconds. */
  readonly waits: readonly number[];
  /** The same, beyond their lease, of those that were leased in an answer that was swallowed. */
  readonly lostWaits: readonly number[];
  /** In a time that is the same for all runs. */
  readonly requests: number;
  /** Never given to a handler. */
  readonly unseen: number;
}

/** Trickles messages into some queues, each with a reader of its own. */
async function trickle(each: number, swallowed: number): Promise<Seen> {
  using service = new Service({ swallowed });
  const messages = each * queues.length;
  const seen = new Set<string>();
  const waits: number[] = [];
  const lostWaits: number[] = [];
  const done = new AbortController();
  const handle = ({ id, body, attempts }: { id: string; body: number; attempts: number }): void => {
    if (seen.has(id)) return;
    seen.add(id);
    const waitedMs = Date.now() - body - pollMs;
    if (attempts === 1) waits.push(waitedMs);
    else lostWaits.push(waitedMs - (attempts - 1) * leaseMs);
  };
  const options = { maxIdleMs: pollMs, visibilityTimeoutMs: leaseMs, signal: done.signal, onEvent: () => undefined };
  const readers: Promise<unknown>[] = [];
  for (const name of queues) readers.push(openQueue<number>(await service.open(name)).process(handle, options));
  for (const name of queues) await service.trickle(name, each, meanMs);
  await sleep(each * meanMs + leaseMs);
  const { requests } = await service.tally('a');
  for (let turns = 0; seen.size < messages && turns < 40; turns += 1) await sleep(leaseMs / 10);
  done.abort();
  await Promise.all(readers);
  return { waits, lostWaits, requests, unseen: messages - seen.size };
}

/** How long idle consumers take to close whose only pull is never answered, at most, in milliseconds. */
async function closing(): Promise<number> {
  using service = new Service({ swallowed: 1 });
  const connection = await service.open('idle');
  const close = async (): Promise<number> => {
    const consumer = openQueue(connection).consume();
    const next = consumer[Symbol.asyncIterator]().next();
    await sleep(300);
    const from = performance.now();
    await consumer.close();
    await next;
    return performance.now() - from;
  };
  return Math.max(...(await Promise.all([close(), close(), close()])));
}

async function run(scale: Scale): Promise<readonly Measure[]> {
  const each = scale === 'quick' ? 8 : 30;
  const usual = await trickle(each, 0);
  const faulty = await trickle(each, 1 / 20);
  return [
    ['waiting beyond the poll interval, 99 % of messages, in s', quantile(faulty.waits, 0.99) / 1_000, 2],
    ['the same beyond the lease, of those lost in an answer, in s', Math.max(0, ...faulty.lostWaits) / 1_000, 2],
    ['requests, as a multiple of those without faults', faulty.requests / usual.requests, 1.3],
    ['never seen by a handler', faulty.unseen, 0],
    ['closing an idle consumer, in s', (await closing()) / 1_000, 1],
  ];
}

export const swallowed: Scenario = { name: 'A way that swallows one request in 20', run };
