import { describe, it } from 'vitest';
import { checkSchedules } from './check-schedules.ts';
import {
  boundsHold,
  deliveriesAddUp,
  neverTwiceAtOnce,
  nextIsAnsweredInOrder,
  noAckBeforeTheEnd,
  noLateStart,
  nothingIsLost,
  nothingRemains,
  outcomesAreTrue,
} from './invariants.ts';
import { schedules } from './schedules.ts';

// Each looks where its own invariant is in danger; soak.test.ts judges all of them on schedules of any kind.
const numRuns = 120;
const timeoutMs = 120_000;

describe('invariant 1: every message pushed is acked after its handler finished, in a queue, or removed by the broker', () => {
  it('holds', () => checkSchedules(schedules(), nothingIsLost, numRuns), timeoutMs);
});

describe('invariant 2: no automatic ack is sent before the handler finished', () => {
  const surfaces = ['for await', 'generator', 'process', 'batches', 'processBatches'] as const;
  it('holds', () => checkSchedules(schedules({ surfaces }), noAckBeforeTheEnd, numRuns), timeoutMs);
});

describe('invariant 3: no message is handed out after its deadline less the margin, except on its last attempt', () => {
  const events = ['suspend', 'jump', 'pause', 'redeliver', 'thief', 'push'] as const;
  const faults = ['slow', 'limited', 'answer-hangs'] as const;
  const deviations = ['throw', 'retry-first'] as const;
  it('holds', () => checkSchedules(schedules({ events, faults, deviations }), noLateStart, numRuns), timeoutMs);
});

describe('invariant 4: asked for and unstarted stay within the bound, and in flight within maxInFlight', () => {
  const events = ['pause', 'push', 'thief', 'redeliver'] as const;
  it(
    'holds',
    () => checkSchedules(schedules({ events, mostMessages: 60, deviations: ['forget'] }), boundsHold, numRuns),
    timeoutMs,
  );
});

describe('invariant 5: an outcome is what the ledger says, and each lease gets one kind of settlement', () => {
  const deviations = ['ack-first', 'retry-first', 'ack-last', 'retry-last', 'both', 'close'] as const;
  const events = ['close', 'redeliver', 'thief', 'suspend'] as const;
  const faults = ['obscured', 'obscured', 'obscured', 'answer-dropped', 'doubled', 'failed'] as const;
  const range = { deviations, events, faults, faultyCalls: ['ack'] } as const;
  it('holds', () => checkSchedules(schedules(range), outcomesAreTrue, 2 * numRuns), timeoutMs);
});

describe('invariant 6: a message is never in two handlers of one consumer at once', () => {
  const surfaces = ['process', 'processBatches', 'batches'] as const;
  const deviations = ['retry-first', 'throw', 'ack-first'] as const;
  const events = ['redeliver', 'redeliver', 'redeliver', 'push'] as const;
  const range = { surfaces, deviations, events, mostClients: 1 } as const;
  it('holds', () => checkSchedules(schedules(range), neverTwiceAtOnce, 2 * numRuns), timeoutMs);
});

describe('invariant 7: after close() nothing of the consumer is left, and nothing leased that was not handed out', () => {
  const events = ['close', 'close', 'abort', 'push', 'refuse-pulls'] as const;
  it('holds', () => checkSchedules(schedules({ events }), nothingRemains, 2 * numRuns), timeoutMs);
});

describe('invariant 8: every delivery is accounted for', () => {
  it('holds', () => checkSchedules(schedules({ mostClients: 2 }), deliveriesAddUp, numRuns), timeoutMs);
});

describe('invariant 9: waiting next() calls are answered in order, each exactly once', () => {
  const surfaces = ['overlapping next()', 'manual'] as const;
  it('holds', () => checkSchedules(schedules({ surfaces }), nextIsAnsweredInOrder, numRuns), timeoutMs);
});
