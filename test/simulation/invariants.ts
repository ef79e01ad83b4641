import type { Start } from './handler-log.ts';
import { type Delivery, firstSettle, type Ledger } from './ledger.ts';
import type { CallRecord } from './network.ts';
import { pullBound } from './pull-bound.ts';
import type { ClientRun } from './client.ts';

/** Judges a run by one invariant of the design: gives what violates it, in words. */
export type Invariant = (ledger: Ledger) => readonly string[];

/**
 * Every message pushed is in the end acked after its handler finished, or in the queue, or in its dead letter queue, or
 * removed by the broker. With 50 retries and more nothing is ever removed.
 */
export const nothingIsLost: Invariant = (ledger) => {
  const { schedule, inQueue, inDeadLetterQueue } = ledger.run;
  const wrong: string[] = [];
  const places = { queue: 0, acked: 0, 'dead-letter-queue': 0, removed: 0 };
  for (const message of ledger.messages.values()) {
    places[message.place] += 1;
    const isEarned = ledger.startsOf(message.id).some((start) => ledger.isEarned(start, message.ackedSeq));
    if (message.place === 'acked' && !isEarned) wrong.push(`${message.id} was acked and no handler had finished it`);
    const isGone = message.place === 'removed' || message.place === 'dead-letter-queue';
    if (isGone && schedule.maxRetries >= 50)
      wrong.push(`${message.id} was ${message.place} with ${schedule.maxRetries} retries`);
    if (message.place === 'removed' && schedule.hasDeadLetterQueue) wrong.push(`${message.id} is in no queue`);
  }
  if (places.queue !== inQueue) wrong.push(`${places.queue} should be in the queue, ${inQueue} are`);
  if (places['dead-letter-queue'] !== inDeadLetterQueue) wrong.push(`the dead letter queue has ${inDeadLetterQueue}`);
  return wrong;
};

/** No ack is sent before a handler of that message, in that consumer, finished or acknowledged by hand. */
export const noAckBeforeTheEnd: Invariant = (ledger) => {
  const wrong: string[] = [];
  for (const { client } of ledger.run.clients) {
    for (const call of ledger.callsBy(client, 'ack')) {
      for (const leaseId of call.acks) {
        const { messageId } = ledger.delivery(leaseId);
        const starts = ledger.startsOf(messageId).filter((start) => start.client === client);
        if (starts.some((start) => ledger.isEarned(start, call.sentSeq))) continue;
        wrong.push(`client ${client} sent the ack of ${messageId} before its handler finished`);
      }
    }
  }
  return wrong;
};

/** No message is handed out after its deadline less the margin; on its last attempt, none after its deadline. */
export const noLateStart: Invariant = (ledger) => {
  const wrong: string[] = [];
  for (const start of ledger.run.log.starts) {
    if (ledger.client(start.client).isDeceived) continue;
    const { deadline, at } = ledger.delivery(start.leaseId);
    const leftMs = deadline - start.at;
    const isLast = start.attempts > ledger.run.schedule.maxRetries;
    const leastMs = isLast ? 0 : marginMs(deadline - at, leastRoundTripMs(ledger, start));
    if (leftMs < leastMs - grainMs || leftMs <= 0) {
      wrong.push(
        `client ${start.client} started ${start.messageId} with ${leftMs} ms left of ${deadline - at}: the margin is ${leastMs}`,
      );
    }
  }
  return wrong;
};

/** The margin with the least round trip that the consumer has seen: whatever mean it makes of them is not below. */
function leastRoundTripMs(ledger: Ledger, start: Start): number {
  const seen = ledger.callsBy(start.client, 'pull').filter((call) => call.isUnderstood && call.endedSeq < start.seq);
  return Math.min(...seen.map((call) => call.endedAt - call.sentAt));
}

function marginMs(timeoutMs: number, roundTripMs: number): number {
  return Math.min(timeoutMs / 4, Math.max(timeoutMs / 20, 2 * roundTripMs));
}

/** At every moment, in flight is at most `maxInFlight`; at every pull, asked for and unstarted is at most the bound. */
export const boundsHold: Invariant = (ledger) => {
  const wrong: string[] = [];
  for (const client of ledger.run.clients) {
    wrong.push(...inFlightViolations(ledger, client));
    if (client.surface.concurrency !== undefined) wrong.push(...pullViolations(ledger, client));
  }
  return wrong;
};

/** Times of this size, in fractions of a millisecond, are exact to about as much. */
const grainMs = 0.01;

function inFlightViolations(ledger: Ledger, { client, plan, surface }: ClientRun): readonly string[] {
  const starts = ledger.startsBy(client);
  const most = Math.min(plan.maxInFlight, surface.concurrency?.(plan.maxInFlight) ?? Infinity);
  const isOut = (start: Start, seq: number, at: number): boolean => {
    if (surface.isAuto) return start.endedSeq > seq;
    const { call } = ledger.delivery(start.leaseId);
    return call !== undefined && knownEnd(ledger, call) - grainMs > at && (firstSettle(start)?.seq ?? Infinity) > seq;
  };
  return starts
    .map((start, index) => ({
      start,
      out: starts.slice(0, index + 1).filter((other) => isOut(other, start.seq, start.at)).length,
    }))
    .filter(({ out }) => out > most)
    .map(({ start, out }) => `client ${client} had ${out} in flight, not ${most}, when it started ${start.messageId}`);
}

function pullViolations(ledger: Ledger, client: ClientRun): readonly string[] {
  // The judge measures by the true time, which such a consumer can't know.
  if (jumpsOf(ledger, client.client).length > 0) return [];
  const pulls = ledger.callsBy(client.client, 'pull');
  return client.pulls.flatMap((note, index) => {
    const before = pulls.slice(0, index).filter((call) => call.endedSeq > note.seq);
    const asked = before.reduce((sum, call) => sum + call.ask, note.ask);
    const unstarted = note.unstarted ?? startedLater(ledger, client.client, note.seq);
    const bound = pullBound(ledger, client, note);
    if (asked + unstarted <= bound) return [];
    return [`client ${client.client} asked for ${asked} with ${unstarted} unstarted: the bound is ${bound}`];
  });
}

/** What a client had received by then and started later: the least that it can have had unstarted. */
function startedLater(ledger: Ledger, client: number, seq: number): number {
  const received = new Set(
    ledger
      .callsBy(client, 'pull')
      .filter((call) => call.endedSeq < seq)
      .flatMap((call) => call.received),
  );
  return ledger.startsBy(client).filter((start) => start.seq > seq && received.has(start.leaseId)).length;
}

/**
 * When the leases of a pull end as its consumer must see it: they count from before it was sent, and one whose wall
 * clock was set forward takes them to be over earlier still.
 */
function knownEnd(ledger: Ledger, { client, sentAt, visibilityTimeoutMs }: CallRecord): number {
  const jumpedMs = jumpsOf(ledger, client).reduce((sum, ms) => sum + Math.max(0, ms), 0);
  return sentAt + visibilityTimeoutMs - jumpedMs;
}

function jumpsOf(ledger: Ledger, client: number): readonly number[] {
  return ledger.run.schedule.events.flatMap((event) =>
    event.type === 'jump' && event.client === client ? [event.ms] : [],
  );
}

/** `acked` and `retried` are what the ledger says; and each lease gets at most one kind of settlement. */
export const outcomesAreTrue: Invariant = (ledger) => {
  const wrong: string[] = [];
  for (const start of ledger.run.log.starts) {
    for (const { settlement, settledSeq } of start.settles) {
      if (!isTrue(ledger, start, settlement?.outcome, settledSeq)) {
        wrong.push(`client ${start.client} was told '${settlement?.outcome}' of ${start.messageId}`);
      }
      if (settlement === undefined) wrong.push(`client ${start.client} was told nothing of ${start.messageId}`);
    }
  }
  const kinds = new Map<string, 'ack' | 'retry'>();
  const note = (leaseId: string, kind: 'ack' | 'retry'): void => {
    if ((kinds.get(leaseId) ?? kind) !== kind) wrong.push(`lease ${leaseId} got both kinds of settlement`);
    kinds.set(leaseId, kind);
  };
  for (const { acks, retries } of ledger.run.network.records) {
    for (const leaseId of acks) note(leaseId, 'ack');
    for (const leaseId of retries) note(leaseId, 'retry');
  }
  const claimed = ledger.run.clients.reduce((sum, { summary }) => sum + (summary?.acked ?? 0), 0);
  const acked = [...ledger.messages.values()].filter(({ place }) => place === 'acked').length;
  if (claimed > acked) wrong.push(`${claimed} are said to be acked, ${acked} are`);
  return wrong;
};

function isTrue(ledger: Ledger, start: Start, outcome: string | undefined, seq: number): boolean {
  const message = ledger.messages.get(start.messageId);
  if (outcome === 'acked') return (message?.ackedSeq ?? Infinity) < seq;
  if (outcome !== 'retried') return true;
  const sent = new Set(ledger.callsBy(start.client, 'ack').flatMap((call) => call.retries));
  return message?.retriedSeqs.some((retry) => retry.seq < seq && sent.has(retry.leaseId)) ?? false;
}

/** No message is in two handlers of one consumer at once, where the consumer sees its handlers. */
export const neverTwiceAtOnce: Invariant = (ledger) => {
  const wrong: string[] = [];
  for (const { client, surface } of ledger.run.clients) {
    if (!surface.isAuto) continue;
    const starts = ledger.startsBy(client);
    for (const [index, start] of starts.entries()) {
      const twin = starts
        .slice(index + 1)
        .find((other) => other.messageId === start.messageId && other.seq < start.endedSeq);
      if (twin !== undefined) wrong.push(`client ${client} had ${start.messageId} in two handlers at once`);
    }
  }
  return wrong;
};

/** After `closed`: no request, timer or listener of ours; nothing leased that was not handed out. */
export const nothingRemains: Invariant = (ledger) => {
  const wrong: string[] = [];
  for (const { client, remains } of ledger.run.clients) {
    const { openCalls, timers, listeners, seq } = remains;
    if (openCalls + timers + listeners > 0) {
      wrong.push(`client ${client} left ${openCalls} calls, ${timers} timers and ${listeners} listeners`);
    }
    const late = ledger.run.network.records.filter((call) => call.client === client && call.sentSeq > seq);
    if (late.length > 0) wrong.push(`client ${client} made ${late.length} calls after it had closed`);
    for (const delivery of ledger.deliveries.values()) {
      if (delivery.call?.client === client && isHoarded(ledger, delivery, client)) {
        wrong.push(`client ${client} left ${delivery.messageId} leased and never handed it out`);
      }
    }
  }
  return wrong;
};

/** Whether the message is leased when its consumer has closed, for no reason that the consumer knew of. */
function isHoarded(ledger: Ledger, { messageId, leaseId, settledSeq, call }: Delivery, client: number): boolean {
  const { remains, graceEndsAt } = ledger.client(client);
  // What comes after the grace, to a machine that slept through it, nobody waits for.
  if (
    call === undefined ||
    call.endedAt >= graceEndsAt ||
    settledSeq < remains.seq ||
    knownEnd(ledger, call) <= remains.at
  )
    return false;
  const wasReceived = call.received.includes(leaseId);
  const receivedSeq = call.endedSeq;
  const wasHeld = (start: Start): boolean =>
    start.client === client && (start.leaseId === leaseId || (start.seq < receivedSeq && start.endedSeq > receivedSeq));
  const settlements = ledger
    .callsBy(client, 'ack')
    .filter((ack) => ack.retries.includes(leaseId) || ack.acks.includes(leaseId));
  if (!wasReceived || settlements.length > 0 || ledger.startsOf(messageId).some(wasHeld)) return false;
  return !mayBeHeldBack(ledger, client, remains.at);
}

/** The longest that a consumer waits by itself after a settle call that failed, in milliseconds. */
const longestBackoffMs = 5_000;

/** Whether settlements may have had to wait until after this time, because a call failed or the service asked for it. */
function mayBeHeldBack(ledger: Ledger, client: number, at: number): boolean {
  const failed = (call: CallRecord): boolean => !call.isUnderstood && call.state !== 'open';
  const waitMs = ({ call, fault }: CallRecord): number => {
    if (fault?.type !== 'limited') return call === 'ack' ? longestBackoffMs : 0;
    const concerns = call === 'ack' || fault.code === 10_250 || fault.code === 10_251;
    return concerns ? Math.max(longestBackoffMs, 1_000 * fault.retryAfterSeconds) : 0;
  };
  const calls = [...ledger.callsBy(client, 'pull'), ...ledger.callsBy(client, 'ack')];
  return calls.some((call) => failed(call) && call.endedAt <= at && call.endedAt + waitMs(call) > at);
}

/** Deliveries = starts + releases + dropped + invalid + swapped + re-acked + those in answers never received. */
export const deliveriesAddUp: Invariant = (ledger) => {
  const wrong: string[] = [];
  for (const { client, summary } of ledger.run.clients) {
    if (summary === undefined) continue;
    const pulls = ledger.callsBy(client, 'pull');
    const received = pulls.reduce((sum, call) => sum + call.received.length, 0);
    const { delivered, released, dropped, invalid, swapped, reacked } = summary;
    const accounted = delivered + released + dropped + invalid + swapped + reacked;
    const starts = ledger.startsBy(client).length;
    if (accounted !== received) {
      const parts = `${delivered} + ${released} + ${dropped} + ${invalid} + ${swapped} + ${reacked}`;
      wrong.push(`client ${client} received ${received} and accounts for ${parts}`);
    }
    if (starts !== delivered) wrong.push(`client ${client} started ${starts} and counts ${delivered}`);
    if (summary.received !== received)
      wrong.push(`client ${client} received ${received} and counts ${summary.received}`);
    if (summary.inFlight !== 0 || summary.buffered !== 0) {
      wrong.push(`client ${client} ended with ${summary.inFlight} in flight and ${summary.buffered} buffered`);
    }
  }
  return wrong;
};

/** Waiting `next()` calls are answered in order, each exactly once; after the first end all are ends. */
export const nextIsAnsweredInOrder: Invariant = (ledger) => {
  const wrong: string[] = [];
  for (const { client, waits } of ledger.run.clients) {
    const open = waits.filter((wait) => wait.answeredSeq === Infinity);
    if (open.length > 0) wrong.push(`client ${client} left ${open.length} next() calls waiting`);
    for (const [index, wait] of waits.entries()) {
      const before = waits[index - 1];
      if (before === undefined || before.answeredSeq < wait.answeredSeq) continue;
      wrong.push(`client ${client} answered a next() before the one called earlier`);
    }
    const firstEnd = waits.findIndex((wait) => wait.isDone);
    if (firstEnd >= 0 && waits.slice(firstEnd).some((wait) => !wait.isDone)) {
      wrong.push(`client ${client} handed out a message after the end`);
    }
  }
  return wrong;
};

/** No retry is sent when its lease is over: somebody else may hold the message. */
const noLateRetry: Invariant = (ledger) => {
  const wrong: string[] = [];
  for (const { client, isDeceived } of ledger.run.clients) {
    if (isDeceived) continue;
    for (const settling of ledger.callsBy(client, 'ack')) {
      for (const leaseId of settling.retries) {
        const { messageId, call } = ledger.delivery(leaseId);
        if (call === undefined || settling.sentAt < call.sentAt + call.visibilityTimeoutMs + grainMs) continue;
        wrong.push(`client ${client} sent a retry of ${messageId} after its lease had ended`);
      }
    }
  }
  return wrong;
};

/** The invariants by their number in the design, and what it says beside. */
const invariants: Readonly<Record<string, Invariant>> = {
  1: nothingIsLost,
  2: noAckBeforeTheEnd,
  3: noLateStart,
  4: boundsHold,
  5: outcomesAreTrue,
  6: neverTwiceAtOnce,
  7: nothingRemains,
  8: deliveriesAddUp,
  9: nextIsAnsweredInOrder,
  'of late retries': noLateRetry,
};

/** Everything that violates any invariant. */
export function judgeAll(ledger: Ledger): readonly string[] {
  return Object.entries(invariants).flatMap(([number, judge]) =>
    judge(ledger).map((text) => `invariant ${number}: ${text}`),
  );
}
