import { describe, expect, it } from 'vitest';
import { type FlushState, planFlush, type Unsent } from '../../src/lease/plan-flush.ts';

const state: Unsent & FlushState = {
  size: 1,
  oldestAt: 1_000,
  earliestDeadline: 30_000,
  isLate: false,
  isAwaited: false,
  callsUnderWay: 0,
  batchSize: 100,
  roundTripMs: 40,
  isWaiting: () => false,
  stallMs: 0,
};

describe('planFlush()', () => {
  it.each<[string, Partial<typeof state>, number]>([
    ['waits 5 ms for company', {}, 1_005],
    ['waits a round trip when that is less', { roundTripMs: 2 }, 1_002],
    ['sends at once before the first round trip is known', { roundTripMs: 0 }, 1_000],
    ['sends what is full', { size: 100 }, 1_003],
    ['sends what is more than full', { size: 250, callsUnderWay: 2 }, 1_003],
    ['waits with one less than full', { size: 99 }, 1_005],
    ['sends when no company will come', { isWaiting: () => true }, 1_003],
    ['waits for a call under way until two round trips before the deadline', { callsUnderWay: 1 }, 29_915],
    ['waits for it although no company will come', { callsUnderWay: 1, isWaiting: () => true }, 29_915],
    ['has missed that point', { callsUnderWay: 1, earliestDeadline: 1_050 }, 965],
    ['lets the deadline come first', { earliestDeadline: 1_087 }, 1_002],
    ['waits for a call under way when every lease is over', { callsUnderWay: 1, earliestDeadline: Infinity }, Infinity],
    ['waits for a call under way until then', { callsUnderWay: 1, earliestDeadline: 1_004 }, 919],
    ['waits for what is settled in a few turns where handlers keep the loop', { stallMs: 6 }, 1_048],
    ['waits for 100 ms there at most', { stallMs: 13 }, 1_100],
    ['waits for no more than a fifth of the lease that is left', { stallMs: 20, earliestDeadline: 1_303 }, 1_060],
    ['lingers while the loop is kept for less than that', { stallMs: 5 }, 1_005],
    ['has what is late wait no longer than usual', { isLate: true, stallMs: 400, earliestDeadline: Infinity }, 1_005],
    ['has nothing wait for longer beside what is late', { isLate: true, stallMs: 400 }, 1_005],
    ['has what somebody waits for wait no longer than usual', { isAwaited: true, stallMs: 400 }, 1_005],
    ['leaves a kept loop time to look again', { callsUnderWay: 1, stallMs: 300 }, 29_615],
    ['lingers as usual when every lease is over', { earliestDeadline: Infinity }, 1_005],
  ])('%s', (_, change, at) => {
    const changed = { ...state, ...change };
    expect(planFlush(changed, changed, 1_003)).toBe(at);
  });
});
