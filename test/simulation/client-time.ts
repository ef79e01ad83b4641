import type { ClientRun } from './client.ts';
import type { Ledger } from './ledger.ts';
import type { CallRecord } from './network.ts';

/** Times of this size, in fractions of a millisecond, are exact to about as much. */
export const grainMs = 0.01;

/**
 * When the leases of a pull end, as their consumer must see it at a time: they count from before it was sent, and one
 * whose wall clock was set forward since takes them to be over earlier still.
 */
export function knownEnd(ledger: Ledger, { client, sentAt, visibilityTimeoutMs }: CallRecord, at: number): number {
  return sentAt + visibilityTimeoutMs - jumpedSince(ledger.client(client), sentAt, at);
}

/** By how much a client's wall clock was set forward in a time: it takes it to be so much later than it is. */
export function jumpedSince({ jumps }: ClientRun, from: number, to = Infinity): number {
  return jumps.reduce((sum, { at, ms }) => sum + (at >= from && at <= to ? Math.max(0, ms) : 0), 0);
}

/** Whether a lease is over by then, as its consumer must see it. */
export function isOver(ledger: Ledger, call: CallRecord, at: number): boolean {
  return knownEnd(ledger, call, at) - grainMs <= at;
}

/**
 * When what is to happen after so much time happens at the latest: asleep, the machines' timers stand still, and one that
 * is due while code keeps the event loop fires when that is over.
 */
export function awakeAfter(ledger: Ledger, from: number, ms: number): number {
  let to = from + ms;
  for (const sleep of ledger.run.sleeps) if (sleep.at >= from && sleep.at <= to) to += sleep.ms;
  return loopFreeAt(ledger, to);
}

/** For how long of a time the machines slept, in milliseconds. */
export function sleptMs({ run }: Ledger, from: number, to: number): number {
  return run.sleeps.reduce((sum, { at, ms }) => sum + Math.max(0, Math.min(at + ms, to) - Math.max(at, from)), 0);
}

/** When the event loop is free, should code keep it then, or as soon as it has its turn then. */
export function loopFreeAt({ run }: Ledger, at: number): number {
  return run.log.blocks.reduce((free, block) => (block.at <= free ? Math.max(free, block.at + block.ms) : free), at);
}

/** When so much time has passed in which the machines were awake and the event loop was free: turns follow each other. */
export function turnsAfter({ run }: Ledger, from: number, ms: number): number {
  const stops = [...run.sleeps, ...run.log.blocks].toSorted((a, b) => a.at - b.at);
  return stops.reduce((to, stop) => {
    const lastedMs = Math.min(stop.ms, stop.at + stop.ms - from);
    return stop.at <= to && lastedMs > 0 ? to + lastedMs : to;
  }, from + ms);
}

/** The bounds of the delay after a failed call, which doubles with each in a row, in milliseconds. */
const backoffs = { pull: { firstMs: 250, mostMs: 30_000 }, ack: { firstMs: 100, mostMs: 5_000 } };

/**
 * Until when, at the latest, the settlements that were due at a time had to wait, because settle calls had failed or the
 * service had asked for it. The time itself when nothing held them back.
 */
export function heldBackUntil(ledger: Ledger, client: number, at: number): number {
  const gates = [...gatesOf(ledger, client, 'ack'), ...gatesOf(ledger, client, 'pull')];
  let until = at;
  for (let closed = gates; closed.length > 0;) {
    const time = until;
    closed = gates.filter((gate) => gate.from <= time && gate.to > time);
    until = Math.max(until, ...closed.map((gate) => gate.to));
  }
  return until;
}

/** The times in which a client's settlements may have been held back because of failed calls of a kind. */
function gatesOf(
  ledger: Ledger,
  client: number,
  kind: 'pull' | 'ack',
): { readonly from: number; readonly to: number }[] {
  const { firstMs, mostMs } = backoffs[kind];
  const ended = ledger.callsBy(client, kind).filter((call) => call.state !== 'open');
  let inARow = 0;
  return ended
    .toSorted((a, b) => a.endedSeq - b.endedSeq)
    .flatMap(({ isUnderstood, fault, endedAt }) => {
      inARow = isUnderstood ? 0 : inARow + 1;
      const asked = fault?.type === 'limited' ? fault : undefined;
      const isWholeQueue = asked?.code === 10_250 || asked?.code === 10_251;
      if (isUnderstood || (kind === 'pull' && !isWholeQueue)) return [];
      const backoffMs = Math.min(mostMs, firstMs * 2 ** (inARow - 1));
      const delayMs = Math.max(backoffMs, 1_000 * (asked?.retryAfterSeconds ?? 0));
      // A timer that was set before a sleep is late by it.
      return [{ from: endedAt, to: awakeAfter(ledger, endedAt, delayMs) }];
    });
}

/** How long a consumer that closes waits for its last calls beyond its grace, and beyond its leases without one. */
const lastWaitMs = { withGrace: 3_000, withoutGrace: 11_000 };

/**
 * When a client began to end: neither before the earliest nor after the latest. One whose process vanished had to then. Nobody tells when it ended by itself; it
 * sent no pull afterwards, and a call that was answered or an invalid message was the reason.
 */
export function endingOf(ledger: Ledger, client: number): { readonly earliest: number; readonly latest: number } {
  const { crashed, summary, endings, remains } = ledger.client(client);
  const told = Math.min(remains.at, ...endings.map(({ at }) => at));
  const endedItself = summary === undefined || summary.reason === 'failed' || summary.reason === 'empty';
  if (!endedItself || !mayHaveBegunToEnd(ledger, client)) return { earliest: told, latest: told };
  const pulls = ledger.callsBy(client, 'pull');
  const reasons = [
    ...[...pulls, ...ledger.callsBy(client, 'ack')]
      .filter((call) => call.state === 'answered' && call.endedSeq < remains.seq)
      .map((call) => call.endedAt),
    ...ledger.run.log.invalids.filter((note) => note.client === client).map((note) => note.decidedAt),
  ];
  const latest = Math.max(...reasons.filter((at) => at <= remains.at));
  const sentAt = pulls.at(-1)?.sentAt ?? told;
  // It may as well have meant to go on.
  if (crashed !== undefined) return { earliest: Math.min(told, sentAt), latest: told };
  return { earliest: Math.min(told, sentAt), latest: Math.min(told, Math.max(latest, sentAt)) };
}

/** Whether a client may have begun to end by itself, should its process have vanished: then nobody tells. */
function mayHaveBegunToEnd(ledger: Ledger, client: number): boolean {
  const { crashed, plan } = ledger.client(client);
  if (crashed === undefined || plan.stopWhenEmpty !== undefined) return true;
  const isRefused = ({ state, isUnderstood }: CallRecord): boolean => state === 'answered' && !isUnderstood;
  return (
    ledger.run.log.invalids.some((note) => note.client === client && note.decision === 'throw') ||
    [...ledger.callsBy(client, 'pull'), ...ledger.callsBy(client, 'ack')].some(isRefused)
  );
}

/** When an ending client gives up the handlers of messages whose leases are over, at the earliest. */
export function abandonsAfter(ledger: Ledger, client: number): number {
  const { earliest } = endingOf(ledger, client);
  return earliest + pullsWaitMs - jumpedSince(ledger.client(client), earliest) - grainMs;
}

/** How much longer than its grace an ending consumer waits for pulls, and for what judges their messages, in milliseconds. */
const pullsWaitMs = 1_000;

/**
 * When an ending client stops waiting for pulls, and gives back the messages whose schema or `onInvalid` has not answered,
 * at the earliest and at the latest; never when nobody set it a time.
 */
export function takesNoMoreAt(ledger: Ledger, client: number): { readonly earliest: number; readonly latest: number } {
  const run = ledger.client(client);
  const at = run.graceEndsAt + pullsWaitMs;
  const [told] = run.endings;
  if (told === undefined) return { earliest: Infinity, latest: Infinity };
  return {
    earliest: run.graceMayEndAt + pullsWaitMs - jumpedSince(run, told.at) - grainMs,
    // A timer that was set before a sleep is late by it.
    latest: awakeAfter(ledger, told.at, at - told.at),
  };
}

/**
 * When an ending client stops waiting for what judges messages, at the earliest: as for pulls, or a second after the leases
 * that it waits for, the last of which ends no earlier than one that began with the end would.
 */
export function judgesNoMoreAt(ledger: Ledger, client: number): number {
  const { earliest } = endingOf(ledger, client);
  const leasesEndAt = earliest + ledger.run.schedule.visibilityTimeoutMs - jumpedSince(ledger.client(client), earliest);
  return Math.min(takesNoMoreAt(ledger, client).earliest, leasesEndAt + pullsWaitMs - grainMs);
}

/**
 * When a client stops waiting for whatever still is to come, at the earliest and at the latest: a timer that was set before a
 * sleep is late by it, and code may keep the loop when the client is told, and when its leases end.
 */
export function givesUpAt(ledger: Ledger, client: number): { readonly earliest: number; readonly latest: number } {
  const { graceEndsAt, graceMayEndAt } = ledger.client(client);
  const { startedAt, schedule } = ledger.run;
  const { visibilityTimeoutMs } = schedule;
  const { earliest, latest } = endingOf(ledger, client);
  const jumpedMs = jumpedSince(ledger.client(client), earliest);
  const hastened = graceMayEndAt + lastWaitMs.withGrace - jumpedMs;
  if (graceEndsAt !== Infinity) {
    const overAt = loopFreeAt(ledger, graceEndsAt) + lastWaitMs.withGrace;
    return { earliest: hastened, latest: awakeAfter(ledger, startedAt, overAt - startedAt) };
  }
  const leaseEnds = ledger.callsBy(client, 'pull').map((call) => call.sentAt + call.visibilityTimeoutMs);
  const lastLeaseMs = Math.max(loopFreeAt(ledger, latest) + visibilityTimeoutMs, ...leaseEnds);
  const seenAt = awakeAfter(ledger, startedAt, lastLeaseMs - startedAt);
  return {
    earliest: Math.min(hastened, earliest + visibilityTimeoutMs + lastWaitMs.withoutGrace - jumpedMs),
    latest: awakeAfter(ledger, seenAt, lastWaitMs.withoutGrace),
  };
}

/** Whether a client may have closed because it had waited for as long as it does, and not because all was done. */
export function mayHaveGivenUp(ledger: Ledger, client: number): boolean {
  return ledger.client(client).remains.at + grainMs >= givesUpAt(ledger, client).earliest;
}
