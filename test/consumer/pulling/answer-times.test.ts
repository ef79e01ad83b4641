import { describe, expect, it } from 'vitest';
import type { ConsumerEvent } from '../../../src/consumer/events.ts';
import { AnswerTimes } from '../../../src/consumer/pulling/answer-times.ts';

function open(visibilityTimeoutMs: number): { times: AnswerTimes; events: ConsumerEvent[] } {
  const events: ConsumerEvent[] = [];
  return { times: new AnswerTimes(visibilityTimeoutMs, (event) => events.push(event)), events };
}

describe('AnswerTimes', () => {
  it.each([
    [500, false, 1_000],
    [501, true, 2_004],
    [100, false, 1_000],
  ])('after an answer that took %d ms of a lease of 1 s: slow %s, leases of %d ms', (tookMs, areSlow, leaseMs) => {
    const { times, events } = open(1_000);
    times.answered(tookMs, false);
    expect(times).toMatchObject({ areSlow, roundTripMs: tookMs });
    expect(times.lengthened(1_000)).toBe(leaseMs);
    expect(events).toEqual(areSlow ? [{ type: 'slowAnswer', tookMs, visibilityTimeoutMs: leaseMs }] : []);
  });

  it('leases as long as before after an answer that is quick again', () => {
    const { times } = open(1_000);
    times.answered(900, false);
    times.answered(10, false);
    expect([times.areSlow, times.lengthened(1_000)]).toEqual([false, 1_000]);
  });

  it('doubles the time of a call with each that timed out, within its bounds, until one is answered', () => {
    const { times } = open(30_000);
    expect(times.timeoutMs).toBe(120_000);
    times.timedOut(120_000);
    expect([times.timeoutMs, times.areSlow]).toEqual([240_000, true]);
    times.timedOut(240_000);
    expect(times.timeoutMs).toBe(300_000);
    times.answered(10, false);
    expect(times.timeoutMs).toBe(120_000);
    expect(open(100).times.timeoutMs).toBe(30_000);
  });

  it('waits for twice as long after an answer that is overdue, until one comes in time', () => {
    const { times } = open(30_000);
    expect(times.overdueAfterMs).toBe(1_000);
    times.overdue(1_000);
    expect([times.overdueAfterMs, times.areSlow]).toEqual([2_000, false]);
    times.answered(3_000, true);
    expect(times.overdueAfterMs).toBe(30_000);
    times.answered(10, false);
    expect(times.overdueAfterMs).toBeLessThan(30_000);
  });

  it('leases for longer when what is overdue would come too late', () => {
    const { times, events } = open(1_000);
    times.overdue(500);
    expect([times.areSlow, times.lengthened(1_000)]).toEqual([true, 2_000]);
    expect(events).toHaveLength(1);
  });
});
