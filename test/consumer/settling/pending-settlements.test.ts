import { describe, expect, it, vi } from 'vitest';
import { PendingSettlements } from '../../../src/consumer/settling/pending-settlements.ts';
import type { Lease, SettleKind } from '../../../src/lease/lease.ts';
import { started } from '../../lease/leases.ts';

function settled(id: string, deadline: number, kind: SettleKind = 'ack'): Lease {
  const lease = started(id, deadline - 1_000);
  lease.settledAs = kind;
  return lease;
}

describe('PendingSettlements', () => {
  it('knows since when the oldest waits, also of those that were there before', () => {
    const pending = new PendingSettlements();
    pending.add(settled('a', 1_000), 10);
    pending.add(settled('b', 1_000), 20);
    expect([pending.size, pending.oldestAt]).toEqual([2, 10]);
    pending.takeAll();
    pending.addAgain(settled('a', 1_000), 30);
    expect([pending.size, pending.oldestAt]).toEqual([1, 10]);
  });

  it.each([
    [99, 100, false],
    [100, Infinity, true],
  ])('at %d ms has the first lease that lasts end at %d, and one over: %s', (now, earliestDeadline, isLate) => {
    const pending = new PendingSettlements();
    pending.add(settled('a', 100), now);
    expect(pending).toMatchObject({ earliestDeadline, isLate });
  });

  it('gives what a call carries, the oldest first, and heeds the deadlines of what stays', () => {
    const pending = new PendingSettlements();
    const [a, b, c] = [settled('a', 100), settled('b', 300), settled('c', 200)];
    for (const lease of [a, b, c]) pending.add(lease, 0);
    expect(pending.takeCall(1, 0)).toEqual([a]);
    expect(pending).toMatchObject({ size: 2, earliestDeadline: 200 });
    expect(pending.takeCall(2, 0)).toEqual([b, c]);
    expect(pending).toMatchObject({ size: 0, earliestDeadline: Infinity, isLate: false });
  });

  it('lets go the retries whose lease is over, and no acknowledgement', () => {
    const pending = new PendingSettlements();
    const [retry, ack, later] = [settled('a', 100, 'retry'), settled('b', 100), settled('c', 101, 'retry')];
    for (const lease of [retry, ack, later]) pending.add(lease, 0);
    const letGo = vi.fn();
    pending.expire(100, letGo);
    expect(letGo.mock.calls).toEqual([[retry]]);
    expect(pending).toMatchObject({ size: 2, earliestDeadline: 101, isLate: true });
    expect(pending.takeAll()).toEqual([ack, later]);
  });
});
