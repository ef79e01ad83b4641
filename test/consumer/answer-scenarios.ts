import { expect } from 'vitest';
import { createBroker, type JournalEntry, ManualClock } from '../../src/broker.ts';
import { type ConsumerEvent, openQueue, type Queue, QueueError } from '../../src/index.ts';
import type { Fetch } from '../../src/transports/cloudflare/fetch.ts';

/** Who answers, in the words of docs/answers.md. */
export type Answerer = "the service's" | "another's";

/** What answers a call in place of the broker. */
export interface Answering {
  readonly status: number;
  readonly answerer: Answerer;
  /** After so many calls of the kind that were carried out. */
  readonly after: number;
  readonly times: number;
}

const codes: Readonly<Record<number, number>> = { 400: 10_026, 401: 10_000, 403: 10_000, 404: 11_000, 500: 15_000 };

/** An answer as it may come. */
export function answerOf({ status, answerer }: Pick<Answering, 'status' | 'answerer'>): Response {
  if (answerer === "another's") return new Response('<html><h1>Not the service</h1></html>', { status });
  const refusal = { success: false, errors: [{ code: codes[status] ?? 0, message: 'no' }], messages: [], result: null };
  return Response.json(status === 200 ? { ...refusal, success: true, errors: [] } : refusal, { status });
}

/** Whether it is a success that does not say of what: it was carried out. */
function isUnclear({ status, answerer }: Pick<Answering, 'status' | 'answerer'>): boolean {
  return status === 200 && answerer === "the service's";
}

/** A queue whose calls of one kind are answered by somebody else for a while. */
export function openAnswered(path: string, { after, times, ...answering }: Answering) {
  const clock = new ManualClock({ now: 1_000_000 });
  const journal: JournalEntry[] = [];
  const queues = { jobs: { maxRetries: 100 } };
  const broker = createBroker({
    clock,
    leastVisibilityTimeoutMs: 1,
    queues,
    onJournal: (each) => void journal.push(each),
  });
  let calls = 0;
  /** When the first of these answers came. */
  let firstAt: number | undefined;
  const fetch: Fetch = async (url, init) => {
    if (url.endsWith(path)) {
      calls += 1;
      if (calls > after && calls <= after + times) {
        firstAt ??= clock.now();
        if (isUnclear(answering)) await broker.fetch(url, init);
        return answerOf(answering);
      }
    }
    return broker.fetch(url, init);
  };
  const queue = openQueue({ ...broker.queue('jobs'), clock, fetch, random: () => 0.5 });
  const sinceFirst = (): number => clock.now() - (firstAt ?? clock.now());
  return { clock, broker, journal, queue, sinceFirst };
}

type Answered = ReturnType<typeof openAnswered>;

/** How long something may last before it counts as lasting for as long as it takes, in milliseconds. */
const longMs = 400_000;

/** What becomes of a promise while answers last, in the words of the page. */
async function outcomeOf({ clock, sinceFirst }: Answered, promise: Promise<unknown>): Promise<string | undefined> {
  let failure: { readonly error: unknown } | undefined;
  let isOver = false;
  promise.then(
    () => (isOver = true),
    (error: unknown) => (failure = { error }),
  );
  for (let ms = 0; ms < longMs && !isOver && failure === undefined; ms += 1_000) await clock.advance(1_000);
  if (failure === undefined) return isOver ? 'taken' : undefined;
  expect(failure.error).toBeInstanceOf(QueueError);
  const { code } = failure.error as QueueError;
  const tookMs = sinceFirst();
  if (tookMs <= 1_000) return `${code}, at once`;
  if (tookMs >= 30_000 && tookMs <= 31_000) return `${code}, 30 s`;
  expect(tookMs).toBeGreaterThan(40_000);
  expect(tookMs).toBeLessThanOrEqual(61_000);
  return `${code}, 1 min`;
}

/** Works off a queue: what was handled, how it ended, and what was told meanwhile. */
function work({ queue }: { readonly queue: Queue }) {
  const handled: unknown[] = [];
  const told = new Set<string>();
  const onEvent = (event: ConsumerEvent): void => {
    if (event.type === 'pullFailed' || event.type === 'settleFailed')
      told.add(`${(event.error as QueueError).code}, again`);
    if (event.type === 'paused') told.add('delivery-paused, waits');
  };
  const options = {
    batchSize: 1,
    concurrency: 1,
    visibilityTimeoutMs: 20_000,
    stopWhenEmpty: { forMs: 60_000 },
    onEvent,
  };
  const done = queue.process((message) => void handled.push(message.body), options);
  return { handled, told, done };
}

const bodies = ['a', 'b', 'c'];

async function consume(path: string, answering: Answering): Promise<string> {
  const answered = openAnswered(path, answering);
  for (const body of bodies) answered.broker.push('jobs', { body });
  const { handled, told, done } = work(answered);
  const outcome = await outcomeOf(answered, done);
  if (outcome !== undefined && outcome !== 'taken') return outcome;
  if (answering.times === Infinity && told.size > 0) {
    expect(outcome).toBeUndefined();
    return [...told].join();
  }
  // Once, or nobody noticed.
  expect(outcome).toBe('taken');
  expect(handled).toHaveLength(bodies.length);
  expect(new Set(handled)).toEqual(new Set(bodies));
  expect(answered.broker.isEmpty('jobs')).toBe(true);
  expect(answered.journal.filter(({ type }) => type === 'acked')).toHaveLength(3);
  return told.size === 0 ? 'taken' : 'once';
}

async function push(answering: Answering): Promise<string> {
  const answered = openAnswered('/messages', answering);
  const sends = Array.from({ length: answering.after }, () => answered.clock.runUntil(answered.queue.send('before')));
  await Promise.all(sends);
  const outcome = await outcomeOf(answered, answered.queue.send('x'));
  if (answering.times === Infinity || outcome !== 'taken') return outcome ?? 'never';
  expect(answered.broker.inspect('jobs').counts.total).toBe(answering.after + 1);
  return isUnclear(answering) ? 'taken' : 'once';
}

/** By the headings of the page: what becomes of such a call. */
export const scenarios: Readonly<Record<string, (answering: Answering) => Promise<string>>> = {
  Pulls: (answering) => consume('/pull', answering),
  Settlements: (answering) => consume('/ack', answering),
  Pushes: push,
};
