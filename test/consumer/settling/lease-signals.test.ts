import { describe, expect, it, vi } from 'vitest';
import { LeaseSignals } from '../../../src/consumer/settling/lease-signals.ts';
import { started } from '../../lease/leases.ts';

const open = (now: number): { signals: LeaseSignals; onFirst: () => void } => {
  const onFirst = vi.fn();
  return { signals: new LeaseSignals(() => now, onFirst), onFirst };
};

describe('LeaseSignals', () => {
  it('makes one signal for a message, when it is asked for, and asks to be watched for the first', () => {
    const { signals, onFirst } = open(0);
    const lease = started('a', 0);
    expect(signals.size).toBe(0);
    const signal = signals.of(lease);
    expect(signals.of(lease)).toBe(signal);
    signals.of(started('b', 0));
    expect(signals.size).toBe(2);
    expect(onFirst).toHaveBeenCalledOnce();
  });

  it('aborts once, with the reason', () => {
    const { signals } = open(0);
    const lease = started('a', 0);
    const signal = signals.of(lease);
    signals.endLease(lease);
    const { reason } = signal;
    expect(reason).toMatchObject({ code: 'lease-expired' });
    signals.endLease(lease);
    expect(signal.reason).toBe(reason);
    expect(signals.size).toBe(0);
  });

  it('never aborts what was settled', () => {
    const { signals } = open(0);
    const lease = started('a', 0);
    const signal = signals.of(lease);
    signals.forget(lease);
    signals.endLease(lease);
    signals.endGrace();
    expect(signal.aborted).toBe(false);
  });

  it.each([
    [999, false],
    [1_000, true],
  ])('first asked for at %i ms of a lease of 1 000, has aborted: %s', (now, aborted) => {
    const { signals } = open(now);
    expect(signals.of(started('a', 0)).aborted).toBe(aborted);
    expect(signals.size).toBe(aborted ? 0 : 1);
  });

  it('aborts all that are live when the grace ends, and those asked for later', () => {
    const { signals } = open(0);
    const live = [started('a', 0), started('b', 0)].map((lease) => signals.of(lease));
    signals.endGrace();
    const later = signals.of(started('c', 0));
    for (const { reason } of [...live, later]) expect(reason).toMatchObject({ code: 'closed' });
    expect(signals.size).toBe(0);
  });

  it('first asked for after the settlement, never aborts, and is not kept', () => {
    const { signals } = open(5_000);
    const lease = started('a', 0);
    lease.settledAs = 'ack';
    expect(signals.of(lease).aborted).toBe(false);
    expect(signals.size).toBe(0);
  });
});
