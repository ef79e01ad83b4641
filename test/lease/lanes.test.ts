import { describe, expect, it } from 'vitest';
import { Holdings } from '../../src/lease/holdings.ts';
import type { HeldMessage, Lease } from '../../src/lease/lease.ts';
import { pulled } from './leases.ts';

function message(id: string, timestampMs: number, options: { key?: string; attempts?: number } = {}): HeldMessage {
  const { key = 'k', attempts = 1 } = options;
  return { ...pulled(id, { attempts }), timestampMs, key };
}

function startOne(holdings: Holdings, now = 0): Lease {
  const lease = holdings.start(now);
  if (lease === undefined) throw new Error('nothing to start');
  return lease;
}

function end(holdings: Holdings, lease: Lease, kind: 'ack' | 'retry', now: number, delaySeconds?: number): void {
  holdings.settle(lease, kind, delaySeconds);
  holdings.finish(lease, now);
}

describe('Holdings by key', () => {
  it('starts one of a key at a time, by timestamp, and others beside it', () => {
    const holdings = new Holdings(3, { order: 'by key' });
    holdings.receive([message('b', 2), message('a', 1), message('x', 3, { key: 'other' })], 0, 30_000);
    const a = startOne(holdings);
    expect([a.id, startOne(holdings).id]).toEqual(['a', 'x']);
    expect(holdings.start(0)).toBeUndefined();
    expect(holdings).toMatchObject({ unstarted: 1, buffered: 0, waiting: { blocked: 1 } });
    end(holdings, a, 'ack', 10);
    expect(startOne(holdings, 10).id).toBe('b');
  });

  it('puts an older one that comes later before the one that was next', () => {
    const holdings = new Holdings(3, { order: 'by key' });
    holdings.receive([message('b', 2)], 0, 30_000);
    holdings.receive([message('a', 1)], 10, 30_000);
    expect(holdings).toMatchObject({ unstarted: 2, buffered: 1, waiting: { blocked: 1 } });
    const a = startOne(holdings, 10);
    expect(a.id).toBe('a');
    end(holdings, a, 'ack', 20);
    expect(startOne(holdings, 20).id).toBe('b');
  });

  it('waits for one that is retried, until five seconds after it is due', () => {
    const holdings = new Holdings(3, { order: 'by key' });
    holdings.receive([message('a', 1), message('b', 2)], 0, 30_000);
    end(holdings, startOne(holdings), 'retry', 10, 2);
    expect(holdings.start(10)).toBeUndefined();
    expect(holdings.order).toMatchObject({ nextWaitAt: 2_010, isSeeking: false });
    expect(holdings.order.endWaits(2_010, 100, Infinity)).toBe(true);
    expect(holdings.order).toMatchObject({ nextWaitAt: 7_010, isSeeking: true, dueSince: 2_010 });
    expect(holdings.order.endWaits(7_009, 100, Infinity)).toBe(false);
    expect(holdings.start(7_009)).toBeUndefined();
    expect(holdings.order.endWaits(7_010, 100, Infinity)).toBe(false);
    expect(startOne(holdings, 7_010).id).toBe('b');
    expect(holdings.order).toMatchObject({ nextWaitAt: Infinity, isSeeking: false });
  });

  it('waits once more where nobody could look when the wait was over', () => {
    const holdings = new Holdings(3, { order: 'by key' });
    holdings.receive([message('a', 1), message('b', 2)], 0, 60_000);
    end(holdings, startOne(holdings), 'retry', 10, 2);
    holdings.order.endWaits(2_010, 100, Infinity);
    holdings.order.endWaits(12_000, 100, Infinity);
    expect(holdings.start(12_000)).toBeUndefined();
    expect(holdings.order.nextWaitAt).toBe(17_000);
    holdings.order.endWaits(27_000, 100, Infinity);
    expect(startOne(holdings, 27_000).id).toBe('b');
  });

  it('waits for as long as nobody has looked, and then for as long as usual', () => {
    const holdings = new Holdings(3, { order: 'by key' });
    holdings.receive([message('a', 1), message('b', 2)], 0, 600_000);
    end(holdings, startOne(holdings), 'retry', 10, 2);
    for (const now of [2_010, 7_010, 12_010, 17_010]) {
      holdings.order.endWaits(now, 100, now < 10_000 ? 2_009 : -Infinity);
      expect([holdings.start(now), holdings.order.nextWaitAt]).toEqual([undefined, now + 5_000]);
    }
    holdings.order.endWaits(22_010, 100, 20_000);
    expect([holdings.start(22_010), holdings.order.nextWaitAt]).toEqual([undefined, 27_010]);
    holdings.order.endWaits(27_010, 100, 20_000);
    expect(startOne(holdings, 27_010).id).toBe('b');
  });

  it('waits for four round trips where they are longer', () => {
    const holdings = new Holdings(3, { order: 'by key' });
    holdings.receive([message('a', 1), message('b', 2)], 0, 60_000);
    end(holdings, startOne(holdings), 'retry', 10, 0);
    holdings.order.endWaits(10, 2_000, Infinity);
    expect(holdings.order.nextWaitAt).toBe(8_010);
  });

  it('counts the delay from when the retry is known to have taken effect, or the end of the lease if it did not', () => {
    const holdings = new Holdings(3, { order: 'by key' });
    holdings.receive([message('a', 1), message('b', 2)], 0, 30_000);
    const a = startOne(holdings);
    end(holdings, a, 'retry', 10, 2);
    holdings.order.expectAgain(a, true, 400);
    expect(holdings.order.nextWaitAt).toBeLessThanOrEqual(2_400);
    holdings.order.endWaits(2_399, 0, Infinity);
    expect(holdings.order.nextWaitAt).toBe(2_400);
    holdings.order.expectAgain(a, false, 2_399);
    holdings.order.endWaits(2_400, 0, Infinity);
    expect(holdings.order.nextWaitAt).toBe(30_000);
  });

  it.each([
    [{ attempts: 4 }, 1, 'is gone'],
    [{ attempts: 1 }, 301, 'comes again after more than five minutes'],
  ])('does not wait for one that %s', (options, delaySeconds) => {
    const holdings = new Holdings(3, { order: 'by key' });
    holdings.receive([message('a', 1, options), message('b', 2)], 0, 30_000);
    end(holdings, startOne(holdings), 'retry', 10, delaySeconds);
    expect(startOne(holdings, 10).id).toBe('b');
  });

  it('has a last attempt wait for no retry, nor for older ones when its lease nears its end', () => {
    const holdings = new Holdings(3, { order: 'by key' });
    holdings.receive([message('a', 1), message('c', 3, { attempts: 4 })], 0, 10_000);
    end(holdings, startOne(holdings), 'retry', 10, 20);
    holdings.receive([message('b', 2)], 100, 30_000);
    const c = startOne(holdings, 200);
    expect(c.id).toBe('c');
    end(holdings, c, 'ack', 300);
    holdings.receive([message('e', 5, { attempts: 4 })], 300, 10_000);
    holdings.receive([message('d', 4)], 300, 30_000);
    holdings.order.endWaits(20_010, 0, Infinity);
    holdings.order.endWaits(25_010, 0, Infinity);
    expect(holdings.waiting.trim(25_010, 0).dropped.map(({ id }) => id)).toEqual(['e']);
  });

  it('gives back what it can not start in time for as long as it would have to wait, and keeps its place', () => {
    const holdings = new Holdings(3, { order: 'by key' });
    holdings.receive([message('a', 1), message('b', 2), message('c', 3)], 0, 30_000);
    const a = startOne(holdings);
    const { postponed } = holdings.waiting.trim(28_501, 0, 20_000);
    // It takes at least as long as it has: twice that for the second.
    expect(postponed.map(({ id, delaySeconds }) => [id, delaySeconds])).toEqual([
      ['b', 22],
      ['c', 50],
    ]);
    expect(holdings).toMatchObject({ unstarted: 0, waiting: { blocked: 2 } });
    holdings.receive([message('c', 3, { attempts: 2 })], 40_000, 30_000);
    end(holdings, a, 'ack', 40_000);
    expect(holdings.start(40_000)).toBeUndefined();
    holdings.receive([message('b', 2, { attempts: 2 })], 45_000, 30_000);
    expect(startOne(holdings, 45_000).id).toBe('b');
  });

  it('gives back for twice as long what is on its last attempt when it comes again', () => {
    const holdings = new Holdings(3, { order: 'by key' });
    holdings.receive([message('a', 1), message('b', 2, { attempts: 3 })], 0, 30_000);
    startOne(holdings);
    expect(holdings.waiting.trim(28_501, 0, 40_000).postponed).toMatchObject([{ id: 'b', delaySeconds: 23 }]);
  });

  it('sets aside the youngest that one handler can not start while its lease lasts, but none that would be on its last', () => {
    const holdings = new Holdings(3, { order: 'by key' });
    const attempts = [1, 1, 1, 3, 2, 1];
    holdings.receive(
      attempts.map((attempt, index) => message(`m${index}`, index, { attempts: attempt })),
      0,
      30_000,
    );
    startOne(holdings);
    expect(holdings.waiting.setAside(0, 0, 14_000).postponed.map(({ id }) => id)).toEqual(['m5', 'm4']);
    expect(holdings.waiting.setAside(0, 0, 14_000).postponed).toEqual([]);
    expect(holdings).toMatchObject({ unstarted: 3, waiting: { blocked: 5 } });
  });

  it('forgets a lane that has nothing left', () => {
    const holdings = new Holdings(3, { order: 'by key' });
    for (let n = 0; n < 10; n += 1) {
      holdings.receive([message(`m${n}`, n, { key: `k${n}` })], n, 30_000);
      end(holdings, startOne(holdings, n), n % 2 === 0 ? 'ack' : 'retry', n, 0);
    }
    holdings.order.endWaits(10, 0, Infinity);
    holdings.order.endWaits(5_010, 0, Infinity);
    expect(holdings.waiting.blocked).toBe(0);
    expect(holdings.order).toMatchObject({ nextWaitAt: Infinity, isSeeking: false });
  });
});

describe('Holdings as queued', () => {
  it('starts what waited for one that was finished by an older delivery', () => {
    const holdings = new Holdings(3, { order: 'as queued' });
    holdings.receive([message('a', 1, { key: '' }), message('b', 2, { key: '' })], 0, 1_000);
    const a = startOne(holdings);
    // Given up when its lease ended.
    holdings.finish(a, 1_000);
    holdings.receive([message('a', 1, { key: '', attempts: 2 })], 1_100, 1_000);
    holdings.receive([message('b', 2, { key: '', attempts: 2 })], 1_100, 1_000);
    expect(holdings.takeNewer(a, 1_200)?.attempts).toBe(2);
    expect(startOne(holdings, 1_200).id).toBe('b');
    expect(holdings).toMatchObject({ unstarted: 0, buffered: 0, waiting: { blocked: 0 } });
  });

  it('has all that nothing comes before ready, and starts one while another runs', () => {
    const holdings = new Holdings(3, { order: 'as queued' });
    const all = ['c', 'b', 'a'].map((id, index) => message(id, 10 - index, { key: '' }));
    holdings.receive(all, 0, 30_000);
    expect(holdings).toMatchObject({ unstarted: 3, buffered: 3, waiting: { blocked: 0 } });
    const a = startOne(holdings);
    expect([a.id, startOne(holdings).id]).toEqual(['a', 'b']);
    end(holdings, a, 'retry', 10, 2);
    expect(holdings).toMatchObject({ unstarted: 1, buffered: 0, waiting: { blocked: 1 } });
    expect(holdings.start(10)).toBeUndefined();
    holdings.receive([message('a', 8, { key: '', attempts: 2 })], 2_020, 30_000);
    expect([startOne(holdings, 2_020).id, startOne(holdings, 2_020).id]).toEqual(['a', 'c']);
  });
});
