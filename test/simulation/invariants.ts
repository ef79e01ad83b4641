import type { Start } from './handler-log.ts';
import type { Invariant } from './invariant.ts';
import type { Ledger } from './ledger.ts';
import { endsEmptyHanded } from './empty-queue.ts';
import { failsForAReason } from './failing-clients.ts';
import { claimsEnd } from './forwarded-messages.ts';
import { attemptsAreHandled } from './handled-attempts.ts';
import { invalidIsSettledAsSaid } from './invalid-messages.ts';
import { movedIsKept } from './moved-messages.ts';
import { nothingRemains } from './nothing-remains.ts';
import type { Moment } from './moment.ts';
import type { CallRecord } from './network.ts';
import { overdueAfterMs } from './overdue-pulls.ts';
import { onItsWayFor } from './on-its-way.ts';
import { PullBound } from './pull-bound.ts';
import { startedInOrder } from './started-in-order.ts';
import { repeatsAreRecognised } from './repeated-deliveries.ts';
import type { ClientRun } from './client.ts';
import { grainMs, isOver } from './client-time.ts';
import { ratesAreKept } from './start-rates.ts';
import { finishedWorkIsAcked } from './finished-work.ts';
import { vanishedIsGone } from './vanished-processes.ts';
import { poisonDiesAlone } from './poisoned-schedules.ts';

/**
 * Every message pushed is in the end acked after its handler finished, or in the queue, or in its dead letter queue, or
 * removed by the broker. With 50 retries and more nothing is ever removed.
 */
const nothingIsLost: Invariant = (ledger) => {
  const { schedule, inQueue, inDeadLetterQueue } = ledger.run;
  const wrong: string[] = [];
  const places = { queue: 0, acked: 0, 'dead-letter-queue': 0, removed: 0 };
  for (const message of ledger.messages.values()) {
    places[message.place] += 1;
    const isEarned = ledger.startsOf(message.id).some((start) => ledger.isEarned(start, message.ackedSeq));
    const isDiscarded = message.ackedBy !== undefined && ledger.isDiscarded(message.ackedBy, message.ackedSeq);
    if (message.place === 'acked' && !isEarned && !isDiscarded)
      wrong.push(`${message.id} was acked and no handler had finished it`);
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
const noAckBeforeTheEnd: Invariant = (ledger) => {
  const wrong: string[] = [];
  for (const { client } of ledger.run.clients) {
    for (const call of ledger.callsBy(client, 'ack')) {
      for (const leaseId of call.acks) {
        const { messageId } = ledger.delivery(leaseId);
        const starts = ledger.startsOf(messageId).filter((start) => start.client === client);
        if (starts.some((start) => ledger.isEarned(start, call.sentSeq))) continue;
        if (ledger.isDiscarded(leaseId, call.sentSeq)) continue;
        wrong.push(`client ${client} sent the ack of ${messageId} before its handler finished`);
      }
    }
  }
  return wrong;
};

/** No message is handed out after its deadline less the margin; on its last attempt, none after its deadline. */
const noLateStart: Invariant = (ledger) => {
  const wrong: string[] = [];
  // Set back, a broker's clock goes on by whole milliseconds: what it leases may end earlier by less than one.
  const lostMs = ledger.run.schedule.events.some(({ type }) => type === 'broker-jump') ? 1 : 0;
  for (const start of ledger.run.log.starts) {
    if (ledger.client(start.client).isDeceived) continue;
    const { deadline: saidDeadline, at } = ledger.delivery(start.leaseId);
    const deadline = saidDeadline + lostMs;
    const keptMs = onItsWayFor(ledger, start);
    const leftMs = deadline - (start.handed.at - keptMs);
    const isLast = start.attempts > ledger.run.schedule.maxRetries;
    const leastMs = isLast ? 0 : marginMs(saidDeadline - at, leastRoundTripMs(ledger, start));
    const isLate = ledger.client(start.client).surface.holdsBack !== 'for its reader' && deadline <= start.at - keptMs;
    if (isLate) wrong.push(`client ${start.client} began ${start.messageId} after its lease`);
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
  const seen = ledger
    .callsBy(start.client, 'pull')
    .filter((call) => call.isUnderstood && call.endedSeq < start.handed.seq);
  return Math.min(...seen.map((call) => call.endedAt - call.sentAt));
}

function marginMs(timeoutMs: number, roundTripMs: number): number {
  return Math.min(timeoutMs / 4, Math.max(timeoutMs / 20, 2 * roundTripMs));
}

/** At every moment, in flight is at most `maxInFlight`; at every pull, asked for and unstarted is at most the bound. */
const boundsHold: Invariant = (ledger) => {
  const wrong: string[] = [];
  for (const client of ledger.run.clients) {
    wrong.push(...inFlightViolations(ledger, client));
    if (client.surface.concurrency !== undefined) wrong.push(...pullViolations(ledger, client));
  }
  return wrong;
};

function inFlightViolations(ledger: Ledger, { client, plan, surface }: ClientRun): readonly string[] {
  const isSeen = surface.concurrency !== undefined;
  const isUnsettled = (start: Start, seq: number, at: number): boolean => {
    if (ledger.settledSeq(start) <= seq) return false;
    const { call } = ledger.delivery(start.leaseId);
    return isSeen || (call !== undefined && !isOver(ledger, call, at));
  };
  const isRunning = (start: Start, seq: number): boolean => start.endedSeq > seq;
  const concurrency = surface.concurrency?.(plan) ?? Infinity;
  return [
    ...tooManyAtOnce(ledger.startsBy(client), isUnsettled, plan.maxInFlight),
    ...tooManyAtOnce(ledger.startsBy(client), isRunning, concurrency),
  ].map((text) => `client ${client} had ${text}`);
}

/** The starts at which more were out than may be. What is not out any more never is again. */
function tooManyAtOnce(
  starts: readonly Start[],
  isOut: (start: Start, seq: number, at: number) => boolean,
  most: number,
): readonly string[] {
  const wrong: string[] = [];
  let out: Start[] = [];
  for (const start of starts) {
    out = [...out, start].filter((other) => isOut(other, start.handed.seq, start.handed.at));
    if (out.length > most) wrong.push(`${out.length} in flight, not ${most}, when it started ${start.messageId}`);
  }
  return wrong;
}

function pullViolations(ledger: Ledger, client: ClientRun): readonly string[] {
  // The judge measures by the true time, which such a consumer can't know.
  if (client.jumps.length > 0) return [];
  const pulls = ledger.callsBy(client.client, 'pull');
  const bounds = new PullBound(ledger, client);
  let underWay: CallRecord[] = [];
  return client.pulls.flatMap((note, index) => {
    underWay = [...underWay, ...pulls.slice(index - 1, index)].filter((call) => call.endedSeq > note.seq);
    const isOverdue = (call: CallRecord): boolean => call.sentAt + overdueAfterMs(ledger, call) <= note.at + grainMs;
    const asked = underWay.reduce((sum, call) => sum + (isOverdue(call) ? 0 : call.ask), note.ask);
    const held =
      note.unstarted === undefined
        ? startedLater(ledger, client.client, note.seq)
        : note.unstarted + ledger.heldAt(client.client, note);
    const kept = note.unstarted === undefined ? 0 : keptAt(ledger, client.client, note);
    const unstarted = held - kept - deferredAt(ledger, client.client, note);
    const bound = bounds.at(note) + waitingInTurn(client);
    if (asked + unstarted <= bound) return [];
    return [`client ${client.client} asked for ${asked} with ${unstarted} unstarted: the bound is ${bound}`];
  });
}

/**
 * How many messages may wait for others beside those that may wait for handlers, where an order is kept: to reach those that
 * need not, and to find one that comes again behind others.
 */
function waitingInTurn({ plan, surface }: ClientRun): number {
  if (plan.order === undefined) return 0;
  return plan.order === 'ordered' ? 1_000 : 1_000 + 10 * (surface.concurrency?.(plan) ?? 1);
}

/** How many messages waited for the handler of their retried earlier delivery, at most: no idle handler is fed by them. */
function deferredAt(ledger: Ledger, client: number, { seq }: Moment): number {
  const running = ledger.startsBy(client).filter((start) => start.seq < seq && start.endedSeq > seq);
  return running.filter((start) => {
    const retriedSeq = ledger.settledSeq(start);
    return ledger.got(client, start.messageId).some(({ call }) => call.endedSeq > retriedSeq && call.endedSeq < seq);
  }).length;
}

/** How many messages that failed as probes were kept, to be tried again, at most: no idle handler is fed by them. */
function keptAt(ledger: Ledger, client: number, { seq }: Moment): number {
  if (ledger.run.schedule.outages === undefined) return 0;
  const calls = ledger.callsBy(client, 'ack').filter(({ sentSeq }) => sentSeq <= seq);
  const settled = new Set(calls.flatMap(({ acks, retries }) => [...acks, ...retries]));
  const starts = ledger.startsBy(client).filter((start) => start.seq < seq);
  const running = new Set(starts.filter(({ endedSeq }) => endedSeq > seq).map(({ leaseId }) => leaseId));
  const failed = starts.filter(
    ({ end, settles, leaseId }) => end === 'left' && settles.length === 0 && !settled.has(leaseId),
  );
  return new Set(failed.map(({ leaseId }) => leaseId).filter((leaseId) => !running.has(leaseId))).size;
}

/** What a client had received by then and started later: the least that it can have had unstarted. */
function startedLater(ledger: Ledger, client: number, seq: number): number {
  const received = new Set(
    ledger
      .callsBy(client, 'pull')
      .filter((call) => call.endedSeq < seq)
      .flatMap((call) => call.received),
  );
  const starts = ledger.startsBy(client);
  // What failed as a probe is kept beside: no idle handler is fed by it.
  for (const start of starts) if (start.seq <= seq) received.delete(start.leaseId);
  const later = starts.filter((start) => start.seq > seq && received.has(start.leaseId));
  return new Set(later.map(({ leaseId }) => leaseId)).size;
}

/** `acked` and `retried` are what the ledger says; and each lease gets at most one kind of settlement. */
const outcomesAreTrue: Invariant = (ledger) => {
  const wrong: string[] = [];
  for (const start of ledger.run.log.starts) {
    for (const { settlement, settledSeq } of start.settles) {
      if (!isTrue(ledger, start, settlement?.outcome, settledSeq)) {
        wrong.push(`client ${start.client} was told '${settlement?.outcome}' of ${start.messageId}`);
      }
      const isTold = settlement !== undefined || ledger.client(start.client).crashed !== undefined;
      if (!isTold) wrong.push(`client ${start.client} was told nothing of ${start.messageId}`);
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
  if (claimed > acked + ackedBeside(ledger)) wrong.push(`${claimed} are said to be acked, ${acked} are`);
  return wrong;
};

/** How many acknowledgements were sent together with another one of the same message: each of them is acked with it. */
function ackedBeside(ledger: Ledger): number {
  return ledger.run.network.records
    .filter((call) => call.isUnderstood)
    .map(({ acks }) => acks.length - new Set(acks.map((leaseId) => ledger.delivery(leaseId).messageId)).size)
    .reduce((sum, more) => sum + more, 0);
}

function isTrue(ledger: Ledger, start: Start, outcome: string | undefined, seq: number): boolean {
  const message = ledger.messages.get(start.messageId);
  if (outcome === 'acked') return (message?.ackedSeq ?? Infinity) < seq;
  if (outcome !== 'retried') return true;
  const sent = new Set(ledger.callsBy(start.client, 'ack').flatMap((call) => call.retries));
  return message?.retriedSeqs.some((retry) => retry.seq < seq && sent.has(retry.leaseId)) ?? false;
}

/** No message is in two handlers of one consumer at once, where the consumer sees its handlers. */
const neverTwiceAtOnce: Invariant = (ledger) => {
  const wrong: string[] = [];
  for (const { client, surface } of ledger.run.clients) {
    if (surface.concurrency === undefined) continue;
    for (const start of ledger.startsBy(client)) {
      const twin = ledger
        .startsOf(start.messageId)
        .find((other) => other.client === client && other.seq > start.seq && other.seq < start.endedSeq);
      if (twin !== undefined) wrong.push(`client ${client} had ${start.messageId} in two handlers at once`);
    }
  }
  return wrong;
};

/** Deliveries = starts + releases + dropped + invalid + swapped + re-acked + those in answers never received. */
const deliveriesAddUp: Invariant = (ledger) => {
  const wrong: string[] = [];
  for (const { client, surface, summary, remains } of ledger.run.clients) {
    if (summary === undefined) continue;
    const pulls = ledger.callsBy(client, 'pull');
    const received = pulls.reduce((sum, call) => sum + call.received.length, 0);
    // What is held to the end its consumer gave up waiting for, and may have given back.
    const held = ledger.heldAt(client, remains);
    const { delivered, released, dropped, invalid, swapped, reacked } = summary;
    const accounted = delivered + released + dropped + invalid + swapped + reacked;
    const starts = surface.holdsBack === 'never' ? ledger.startsBy(client).length : ledger.handedOut(client);
    const { least, most } = startedAgain(ledger, client);
    // What is held back is told by its lease, however often it comes.
    const again = { least: surface.holdsBack === 'never' ? least : 0, most };
    if (accounted > received || accounted + held < received) {
      const parts = `${delivered} + ${released} + ${dropped} + ${invalid} + ${swapped} + ${reacked} + ${held}`;
      wrong.push(`client ${client} received ${received} and accounts for ${parts}`);
    }
    if (starts - again.most > delivered || starts - again.least < delivered)
      wrong.push(`client ${client} started ${starts} and counts ${delivered}`);
    if (summary.received !== received)
      wrong.push(`client ${client} received ${received} and counts ${summary.received}`);
    if (summary.inFlight !== 0 || summary.buffered !== 0) {
      wrong.push(`client ${client} ended with ${summary.inFlight} in flight and ${summary.buffered} buffered`);
    }
  }
  return wrong;
};

/** How many starts were of a delivery that had been started before: it failed as a probe, and its message was kept. */
function startedAgain(ledger: Ledger, client: number): { readonly least: number; readonly most: number } {
  const failed = new Set<string>();
  const leases = new Set<string>();
  let least = 0;
  let most = 0;
  for (const { messageId, leaseId, end } of ledger.startsBy(client)) {
    if (leases.has(leaseId)) least += 1;
    // By another lease where it came again meanwhile.
    if (failed.has(messageId)) most += 1;
    leases.add(leaseId);
    if (end === 'left') failed.add(messageId);
  }
  return { least, most };
}

/** Waiting `next()` calls are answered in order, each exactly once; after the first end all are ends. */
const nextIsAnsweredInOrder: Invariant = (ledger) => {
  const wrong: string[] = [];
  for (const { client, crashed, waits } of ledger.run.clients) {
    const open = waits.filter((wait) => wait.answeredSeq === Infinity);
    if (open.length > 0 && crashed === undefined)
      wrong.push(`client ${client} left ${open.length} next() calls waiting`);
    for (const [index, wait] of waits.entries()) {
      const before = waits[index - 1];
      if (before === undefined || wait.answeredSeq === Infinity || before.answeredSeq < wait.answeredSeq) continue;
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
  11: attemptsAreHandled,
  12: claimsEnd,
  13: (ledger) => [...startedInOrder(ledger), ...ratesAreKept(ledger)],
  'of late retries': noLateRetry,
  'of repeated deliveries': repeatsAreRecognised,
  'of finished work': finishedWorkIsAcked,
  'of moved messages': movedIsKept,
  'of invalid messages': invalidIsSettledAsSaid,
  'of empty queues': endsEmptyHanded,
  'of failing clients': failsForAReason,
  'of poison': poisonDiesAlone,
  'of vanished processes': vanishedIsGone,
};

/** Everything that violates any invariant. */
export function judgeAll(ledger: Ledger): readonly string[] {
  return Object.entries(invariants).flatMap(([number, judge]) =>
    judge(ledger).map((text) => `invariant ${number}: ${text}`),
  );
}
