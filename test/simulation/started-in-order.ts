import { grainMs } from './client-time.ts';
import type { ClientRun } from './client.ts';
import { isGentle } from './gentle-schedules.ts';
import type { Start } from './handler-log.ts';
import type { Invariant } from './invariant.ts';
import type { Ledger } from './ledger.ts';
import { laneOf } from './order-plan.ts';

/** For how long a message that should have come again is waited for, in milliseconds. */
const patienceMs = 5_000;

/** A longer delay is not waited for, in seconds. */
const longestDelaySeconds = 300;

/**
 * Where a client keeps an order, of one key or of all:
 *
 * - no two messages of one key are in its handlers at once;
 * - no message is started before an older one that it has in hand, unless it is on its last attempt;
 * - nor before an older one that was retried has come again, or should have come five seconds ago, unless either is on its
 *   last attempt;
 * - where nothing fails and nobody else consumes, handlers start in the order of the queue; of a key, unless messages were
 *   given back to reach those of other keys, which may come again behind those after them.
 *
 * Of two with the same timestamp the older is the one that came first.
 */
export const startedInOrder: Invariant = (ledger) =>
  ledger.run.clients.flatMap((client) => {
    const judge = new OrderJudge(ledger, client);
    return [...lanesOf(ledger, client).values()].flatMap((starts) => judge.judge(starts));
  });

function lanesOf(ledger: Ledger, { client, plan }: ClientRun): Map<string, Start[]> {
  const lanes = new Map<string, Start[]>();
  for (const start of ledger.startsBy(client)) {
    const lane = laneOf(plan, start.body);
    if (lane === undefined) continue;
    const starts = lanes.get(lane);
    if (starts === undefined) lanes.set(lane, [start]);
    else starts.push(start);
  }
  return lanes;
}

class OrderJudge {
  readonly #ledger: Ledger;
  readonly #client: ClientRun;
  /** When each message was pushed, by the broker's account, and as which of all. */
  readonly #pushed = new Map<string, { readonly at: number; readonly index: number }>();

  constructor(ledger: Ledger, client: ClientRun) {
    this.#ledger = ledger;
    this.#client = client;
    for (const entry of ledger.run.journal) {
      if (entry.queue !== 'jobs' || entry.type !== 'pushed') continue;
      this.#pushed.set(entry.messageId, { at: entry.at, index: this.#pushed.size });
    }
  }

  judge(starts: readonly Start[]): readonly string[] {
    const { client, plan } = this.#client;
    return [
      ...(plan.order === 'ordered' ? [] : together(starts)),
      ...starts.flatMap((start, index) => this.#before(start, starts.slice(index + 1))),
      ...starts.flatMap((start, index) => this.#beforeRetried(start, starts.slice(index + 1))),
      ...this.#inOrder(starts),
    ].map((text) => `client ${client} ${text}`);
  }

  /** Older ones that were in hand when this one was started, by the lease that they were started by later. */
  #before(start: Start, later: readonly Start[]): readonly string[] {
    if (this.#isLast(start)) return [];
    return later
      .filter((other) => this.#isOlder(other, start) && this.#cameSeq(other) < start.handed.seq)
      .filter((other) => other.handed.seq > start.handed.seq)
      .map((other) => `started ${start.messageId} before ${other.messageId}, which is older and was in hand`);
  }

  /** Younger ones that did not wait for this one to come again. */
  #beforeRetried(start: Start, later: readonly Start[]): readonly string[] {
    const until = this.#awaitedUntil(start);
    if (until === undefined) return [];
    const again = later.find((other) => other.messageId === start.messageId);
    const cameSeq = again === undefined ? Infinity : this.#cameSeq(again);
    const endedSeq = Math.max(start.endedSeq, this.#ledger.settledSeq(start), this.#failedSeq(start));
    return later
      .filter((other) => other.handed.seq > endedSeq && other.handed.seq < cameSeq && other.handed.at < until)
      .filter((other) => this.#isOlder(start, other) && !this.#isLast(other))
      .map((other) => `started ${other.messageId} and did not wait for ${start.messageId}, which it had retried`);
  }

  /** When it was known that what became of a message could not be pushed, where a sink or a move had it: later than its handler's end. */
  #failedSeq({ client, messageId, settles }: Start): number {
    if (!settles.some(({ kind }) => kind === 'forward' || kind === 'dead-letter')) return 0;
    const own = new Set(this.#ledger.got(client, messageId).map(({ leaseId }) => leaseId));
    const calls = this.#ledger.callsBy(client, 'ack').filter(({ retries }) => retries.some((id) => own.has(id)));
    return Math.max(0, ...calls.map(({ sentSeq }) => sentSeq));
  }

  /** Until when others wait for this one to come again, at least; `undefined` when they need not. */
  #awaitedUntil(start: Start): number | undefined {
    const { jumps, client } = this.#client;
    if (this.#isLast(start) || start.endedSeq === Infinity || jumps.length > 0) return undefined;
    // A delivery that came after its end, and was given back, is no retry of it.
    const before = this.#ledger.got(client, start.messageId).filter(({ call }) => call.endedSeq < start.endedSeq);
    const own = new Set(before.map(({ leaseId }) => leaseId));
    const retried = this.#ledger.run.journal.find(
      (entry) => entry.type === 'retried' && own.has(entry.leaseId) && entry.seq > start.seq,
    );
    if (retried?.type !== 'retried' || retried.delaySeconds > longestDelaySeconds) return undefined;
    // Somebody else may have had it retried, and what came of that is another delivery's matter.
    const sent = this.#ledger.callsBy(client, 'ack').some(({ retries }) => retries.includes(retried.leaseId));
    if (!sent || this.#ledger.settledSeq(start) > retried.seq) return undefined;
    const decidedAt = Math.min(start.endedAt, start.settles[0]?.at ?? Infinity);
    return decidedAt + 1_000 * retried.delaySeconds + patienceMs - grainMs;
  }

  #inOrder(starts: readonly Start[]): readonly string[] {
    const { run } = this.#ledger;
    const { plan, endings } = this.#client;
    const isAlone = run.clients.length === 1 && run.schedule.events.every(({ type }) => type !== 'thief');
    const isUndisturbed = isAlone && isGentle(run.schedule) && run.sleeps.length === 0;
    const isConstant =
      plan.handler.deviations.length === 0 && starts.every((start) => start.end === 'finished' && !this.#isLast(start));
    const calls = this.#ledger.callsBy(this.#client.client, 'ack');
    const hasGivenBack = plan.order !== 'ordered' && calls.some(({ retries }) => retries.length > 0);
    if (!isUndisturbed || !isConstant || hasGivenBack || endings.length === 0) return [];
    return starts.flatMap(({ messageId }, index) => {
      const before = starts[index - 1];
      if (before === undefined || this.#indexOf(before) <= this.#indexOf({ messageId })) return [];
      return [`started ${before.messageId} before ${messageId}, which is before it in the queue`];
    });
  }

  #indexOf({ messageId }: Pick<Start, 'messageId'>): number {
    return this.#pushed.get(messageId)?.index ?? 0;
  }

  #isOlder(start: Start, other: Start): boolean {
    const [a, b] = [this.#pushed.get(start.messageId), this.#pushed.get(other.messageId)];
    if (a === undefined || b === undefined || a === b) return false;
    if (a.at !== b.at) return a.at < b.at;
    // One that came again may have lost its place among those of its time.
    return start.attempts === 1 && other.attempts === 1 && this.#place(start) < this.#place(other);
  }

  /** The place of a message among all that its client got. */
  #place({ leaseId, client }: Start): number {
    return this.#ledger
      .callsBy(client, 'pull')
      .filter((call) => call.endedSeq < Infinity)
      .toSorted((a, b) => a.endedSeq - b.endedSeq)
      .flatMap((call) => call.received)
      .indexOf(leaseId);
  }

  #cameSeq({ leaseId }: Start): number {
    const { call } = this.#ledger.delivery(leaseId);
    return call === undefined ? Infinity : this.#ledger.judged({ leaseId, call }).seq;
  }

  #isLast({ attempts }: Start): boolean {
    return attempts > this.#ledger.run.schedule.maxRetries;
  }
}

/** Messages of one key that were in handlers at once. */
function together(starts: readonly Start[]): readonly string[] {
  return starts.flatMap((start, index) => {
    const next = starts[index + 1];
    return next === undefined || next.seq > start.endedSeq
      ? []
      : [`had ${start.messageId} and ${next.messageId} of one key in handlers at once`];
  });
}
