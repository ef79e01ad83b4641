import { gentle, isGentle } from './gentle-schedules.ts';
import type { Invariant } from './invariant.ts';
import { numberOf } from './order-plan.ts';
import type { ClientPlan, Schedule } from './schedule.ts';

/** The part of a lease that a handler takes at most. */
const mostShare = 1 / 40;

/** Whether nothing but one message that ends processes can cost others an attempt. */
function isPoisoned(schedule: Schedule): boolean {
  const { clients, crashes, events, misfits, maxRetries, visibilityTimeoutMs } = schedule;
  return (
    crashes?.poison !== undefined &&
    crashes.at.length === 0 &&
    isGentle(schedule) &&
    maxRetries >= 3 &&
    misfits?.unfitOneIn === undefined &&
    misfits?.brokenOneIn === undefined &&
    events.every(({ type }) => type === 'push') &&
    clients.every((client) => isSteady(client, mostShare * visibilityTimeoutMs))
  );
}

/** Whether a client's handlers all do the same, and what may have ended a process is isolated. */
function isSteady({ handler, order, rate, stopWhenEmpty }: ClientPlan, mostMs: number): boolean {
  return (
    handler.times.ms <= mostMs &&
    handler.deviations.length === 0 &&
    order === undefined &&
    rate === undefined &&
    stopWhenEmpty === undefined
  );
}

/** Makes a schedule one in which the only trouble is a message that ends every process which starts it. */
export function poisoned(schedule: Schedule): Schedule {
  const { clients, crashes, events, maxRetries, visibilityTimeoutMs, ...rest } = gentle(schedule);
  const { restartMs = 50, poison = 1 } = crashes ?? {};
  return {
    ...rest,
    visibilityTimeoutMs,
    // So few that what ends the processes is given up in time.
    maxRetries: Math.min(5, Math.max(3, maxRetries)),
    misfits: { unfitOneIn: undefined, brokenOneIn: undefined },
    events: events.filter(({ type }) => type === 'push'),
    crashes: { restartMs, poison, at: [] },
    clients: clients.map((client) => steady(client, Math.floor(mostShare * visibilityTimeoutMs))),
    horizonMs: 60 * visibilityTimeoutMs,
  };
}

function steady({ handler, ...client }: ClientPlan, mostMs: number): ClientPlan {
  const times = { shape: 'constant', ms: Math.min(handler.times.ms, mostMs) } as const;
  return {
    ...client,
    order: undefined,
    rate: undefined,
    stopWhenEmpty: undefined,
    handler: { ...handler, times, deviations: [] },
  };
}

/**
 * A message that ends every process which starts it takes no other along: where nothing else costs an attempt, no other is
 * given up by the broker, until the clients are told to end.
 */
export const poisonDiesAlone: Invariant = (ledger) => {
  const { clients, schedule } = ledger.run;
  if (!isPoisoned(schedule)) return [];
  const toldSeq = Math.min(Infinity, ...clients.flatMap(({ endings }) => endings.map(({ seq }) => seq)));
  return [...ledger.messages.values()]
    .filter(({ id, goneSeq }) => goneSeq < toldSeq && numberOf(ledger.carried(id).body) !== schedule.crashes?.poison)
    .map(({ id, place }) => `${id} is ${place}, and another message ended the processes that had it`);
};
