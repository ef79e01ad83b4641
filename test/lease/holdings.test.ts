import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Holdings } from '../../src/lease/holdings.ts';
import type { Lease } from '../../src/lease/lease.ts';
import { marginMs } from '../../src/lease/margin.ts';
import { Survived } from '../../src/lease/survived.ts';
import type { Trimmed } from '../../src/lease/trimmed.ts';
import { pulled } from './leases.ts';

const ids = (leases: Iterable<Lease>): string[] => [...leases].map(({ id }) => id);
const none = { released: [], postponed: [], dropped: [] };

/** Starts until nothing is left to start. */
function startAll(holdings: Holdings, now: number): string[] {
  const taken: string[] = [];
  for (let lease = holdings.start(now); lease !== undefined; lease = holdings.start(now)) taken.push(lease.id);
  return taken;
}

function startOne(holdings: Holdings, now: number): Lease {
  const lease = holdings.start(now);
  if (lease === undefined) throw new Error('nothing to start');
  return lease;
}

describe('receive()', () => {
  it('buffers what is new', () => {
    const holdings = new Holdings(3);
    const received = holdings.receive([pulled('a'), pulled('b', { bodyLength: 5 })], 0, 1_000);
    expect(received).toMatchObject({ fresh: 2, swapped: 0, done: [] });
    expect(holdings).toMatchObject({ unstarted: 2, waiting: { bodyLength: 15 } });
  });

  it('takes an empty answer', () => {
    const holdings = new Holdings(3);
    expect(holdings.receive([], 0, 1_000)).toMatchObject({ fresh: 0, swapped: 0, done: [] });
    expect(holdings.start(0)).toBeUndefined();
    expect(holdings.waiting.nextTrimAt(0)).toBeUndefined();
    expect(holdings.nextLapseAt()).toBeUndefined();
  });

  it('does not wait for the leases of an answer that brought nothing', () => {
    const holdings = new Holdings(3);
    holdings.receive([pulled('a')], 0, 10_000);
    holdings.receive([], 0, 1_000);
    expect(holdings.waiting.nextTrimAt(0)).toBe(9_501);
  });

  it('swaps in the newer lease of a buffered message', () => {
    const holdings = new Holdings(3);
    holdings.receive([pulled('a')], 0, 1_000);
    expect(holdings.receive([pulled('a', { attempts: 2 })], 900, 1_000)).toMatchObject({ fresh: 0, swapped: 1 });
    expect(holdings).toMatchObject({ unstarted: 1, waiting: { bodyLength: 10 } });
    expect(holdings.waiting.trim(1_500, 0)).toEqual(none);
    const lease = startOne(holdings, 1_500);
    expect(lease).toMatchObject({ leaseId: 'a-2', attempts: 2, deadline: 1_900 });
    expect(holdings.start(1_500)).toBeUndefined();
  });

  it.each([
    ['fewer attempts', { attempts: 1, leaseId: 'older' }, 950],
    ['as many attempts, from an earlier pull', { attempts: 2, leaseId: 'older' }, 850],
  ])('keeps the lease of a message of which an older delivery comes later: %s', (_, older, sentAt) => {
    const holdings = new Holdings(3);
    holdings.receive([pulled('a', { attempts: 2 })], 900, 1_000);
    expect(holdings.receive([pulled('a', older)], sentAt, 1_000)).toMatchObject({ fresh: 0, swapped: 1 });
    expect(startOne(holdings, 950)).toMatchObject({ leaseId: 'a-2', attempts: 2, deadline: 1_900 });
    expect(holdings.start(950)).toBeUndefined();
  });

  it('swaps in the newer lease of a running message, whose lease then ends later', () => {
    const holdings = new Holdings(3);
    holdings.receive([pulled('a')], 0, 1_000);
    const lease = startOne(holdings, 0);
    holdings.receive([pulled('a', { attempts: 2 })], 900, 1_000);
    expect(holdings.start(900)).toBeUndefined();
    expect(lease).toMatchObject({ leaseId: 'a-2', attempts: 2, deadline: 1_900 });
    expect(holdings.nextLapseAt()).toBe(1_900);
    expect(holdings.lapse(1_899)).toEqual([]);
    expect(holdings.nextLapseAt()).toBe(1_900);
    expect(holdings.lapse(1_900)).toEqual([lease]);
  });

  it('takes the same message twice in one answer', () => {
    const holdings = new Holdings(3);
    const received = holdings.receive([pulled('a'), pulled('a', { leaseId: 'newer' })], 0, 1_000);
    expect(received).toMatchObject({ fresh: 1, swapped: 1 });
    expect(startOne(holdings, 0).leaseId).toBe('newer');
    expect(holdings.start(0)).toBeUndefined();
    expect(holdings.nextLapseAt()).toBe(1_000);
  });

  it('hands over what was acknowledged before, its handler running or not', () => {
    const holdings = new Holdings(3);
    holdings.receive([pulled('a'), pulled('b')], 0, 1_000);
    const a = startOne(holdings, 0);
    const b = startOne(holdings, 0);
    holdings.settle(a, 'ack', undefined);
    holdings.settle(b, 'ack', undefined);
    holdings.finish(b, 0);
    const again = [pulled('a', { attempts: 2 }), pulled('b', { attempts: 2 })];
    const { done, fresh } = holdings.receive(again, 2_000, 1_000);
    expect(done.map(({ leaseId }) => leaseId)).toEqual(['a-2', 'b-2']);
    expect(done[0]?.deadline).toBe(3_000);
    expect(fresh).toBe(0);
    expect(holdings.unstarted).toBe(0);
  });

  it('delivers again what was retried', () => {
    const holdings = new Holdings(3);
    holdings.receive([pulled('a')], 0, 1_000);
    const a = startOne(holdings, 0);
    holdings.settle(a, 'retry', 0);
    holdings.finish(a, 0);
    holdings.receive([pulled('a', { attempts: 2 })], 10, 1_000);
    expect(startOne(holdings, 10).attempts).toBe(2);
  });

  it('defers what was retried while its handler still runs, until that ends', () => {
    const holdings = new Holdings(3);
    holdings.receive([pulled('a'), pulled('b')], 0, 1_000);
    const a = startOne(holdings, 0);
    holdings.settle(a, 'retry', 0);
    expect(holdings.receive([pulled('a', { attempts: 2 })], 10, 1_000)).toMatchObject({ fresh: 1, swapped: 0 });
    expect(startAll(holdings, 10)).toEqual(['b']);
    expect(holdings.unstarted).toBe(1);
    holdings.finish(a, 0);
    expect(startAll(holdings, 20)).toEqual(['a']);
    expect(holdings.unstarted).toBe(0);
  });

  it('swaps in a newer lease of a deferred message', () => {
    const holdings = new Holdings(3);
    holdings.receive([pulled('a')], 0, 1_000);
    const a = startOne(holdings, 0);
    holdings.settle(a, 'retry', 0);
    holdings.receive([pulled('a', { attempts: 2 })], 10, 1_000);
    expect(holdings.receive([pulled('a', { attempts: 3 })], 900, 1_000)).toMatchObject({ swapped: 1 });
    expect(holdings.waiting.trim(1_010, 0)).toEqual(none);
    holdings.finish(a, 0);
    expect(startOne(holdings, 1_010)).toMatchObject({ attempts: 3, deadline: 1_900 });
  });

  it('does not start a message beside its own running handler after its deferred delivery was given back', () => {
    const holdings = new Holdings(3);
    holdings.receive([pulled('a')], 0, 1_000);
    const a = startOne(holdings, 0);
    holdings.settle(a, 'retry', 0);
    holdings.receive([pulled('a', { attempts: 2 })], 10, 1_000);
    expect(ids(holdings.waiting.trim(1_000, 0).postponed)).toEqual(['a']);
    holdings.receive([pulled('a', { attempts: 3 })], 1_001, 1_000);
    expect(holdings.start(1_001)).toBeUndefined();
    holdings.finish(a, 0);
    expect(startOne(holdings, 1_001).attempts).toBe(3);
  });
});

describe('start()', () => {
  it('starts by deadline, and in order within an answer', () => {
    const holdings = new Holdings(3);
    holdings.receive([pulled('c'), pulled('d')], 100, 1_000);
    holdings.receive([pulled('a'), pulled('b')], 50, 1_000);
    holdings.receive([pulled('e')], 60, 5_000);
    expect(startAll(holdings, 100)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(ids(holdings.running)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it.each([
    [1, 'with the same deadline'],
    [2, 'on their last attempt with the same deadline'],
  ])('starts messages of %i attempts %s in the order of their answers', (attempts) => {
    const holdings = new Holdings(1);
    for (const id of ['a', 'b', 'c']) holdings.receive([pulled(id, { attempts })], 0, 1_000);
    expect(startAll(holdings, 0)).toEqual(['a', 'b', 'c']);
  });

  it('starts last attempts first, by deadline', () => {
    const holdings = new Holdings(3);
    holdings.receive([pulled('a', { attempts: 3 }), pulled('b', { attempts: 4 })], 100, 1_000);
    holdings.receive([pulled('c'), pulled('d', { attempts: 4 })], 50, 1_000);
    expect(startAll(holdings, 100)).toEqual(['d', 'b', 'c', 'a']);
  });

  it.each([
    [0, 0, 'b'],
    [0, 1, 'a'],
    [100, 100, 'b'],
    [100, 101, 'a'],
  ])('with maxRetries %i takes attempt %i for the last: %s first', (maxRetries, attempts, first) => {
    const holdings = new Holdings(maxRetries);
    holdings.receive([pulled('b', { attempts: 0 })], 0, 1_000);
    holdings.receive([pulled('a', { attempts })], 1, 1_000);
    expect(startOne(holdings, 1).id).toBe(first);
  });

  it('takes a message for urgent when its newer lease is the last', () => {
    const holdings = new Holdings(1);
    holdings.receive([pulled('a'), pulled('b')], 0, 1_000);
    holdings.receive([pulled('b', { attempts: 2 })], 500, 1_000);
    expect(startAll(holdings, 500)).toEqual(['b', 'a']);
  });

  it('keeps one entry of an urgent message whose lease is renewed', () => {
    const holdings = new Holdings(0);
    holdings.receive([pulled('a')], 0, 1_000);
    holdings.receive([pulled('a', { attempts: 2 })], 500, 1_000);
    expect(startAll(holdings, 500)).toEqual(['a']);
    expect(holdings.unstarted).toBe(0);
  });

  it('starts a deferred last attempt before others', () => {
    const holdings = new Holdings(1);
    holdings.receive([pulled('a'), pulled('b')], 0, 1_000);
    const a = startOne(holdings, 0);
    holdings.settle(a, 'retry', 0);
    holdings.receive([pulled('a', { attempts: 2 })], 10, 1_000);
    holdings.finish(a, 0);
    expect(startAll(holdings, 10)).toEqual(['a', 'b']);
  });
});

describe('firstBatch()', () => {
  it('is of what ends first, and of nothing when nothing is buffered', () => {
    const holdings = new Holdings(3);
    expect(holdings.waiting.firstBatch()).toBeUndefined();
    holdings.receive([pulled('b')], 100, 1_000);
    expect(holdings.waiting.firstBatch()).toMatchObject({ deadline: 1_100, timeoutMs: 1_000 });
    holdings.receive([pulled('a'), pulled('c')], 50, 1_000);
    expect(holdings.waiting.firstBatch()?.deadline).toBe(1_050);
    startOne(holdings, 100);
    expect(holdings.waiting.firstBatch()?.deadline).toBe(1_050);
    startOne(holdings, 100);
    expect(holdings.waiting.firstBatch()?.deadline).toBe(1_100);
    startOne(holdings, 100);
    expect(holdings.waiting.firstBatch()).toBeUndefined();
  });

  it('starts what it has looked at', () => {
    const holdings = new Holdings(3);
    holdings.receive([pulled('a'), pulled('b')], 0, 1_000);
    holdings.waiting.firstBatch();
    expect(startAll(holdings, 0)).toEqual(['a', 'b']);
  });

  // Batches were handed out before they were full, because a lease that nothing depended on any more was about to end.
  it('passes over a batch whose message was swapped into a newer one', () => {
    const holdings = new Holdings(3);
    holdings.receive([pulled('a')], 0, 1_000);
    holdings.receive([pulled('a', { attempts: 2 })], 900, 1_000);
    expect(holdings.waiting.firstBatch()?.deadline).toBe(1_900);
  });

  it('passes over a batch whose last attempts were started', () => {
    const holdings = new Holdings(0);
    holdings.receive([pulled('a')], 0, 1_000);
    holdings.receive([pulled('b')], 500, 1_000);
    startOne(holdings, 500);
    expect(holdings.waiting.firstBatch()?.deadline).toBe(1_500);
    startOne(holdings, 500);
    expect(holdings.waiting.firstBatch()).toBeUndefined();
  });

  it('passes over a deferred message until the handler it waits for has ended', () => {
    const holdings = new Holdings(3);
    holdings.receive([pulled('a')], 0, 1_000);
    const a = startOne(holdings, 0);
    holdings.settle(a, 'retry', 0);
    holdings.receive([pulled('a', { attempts: 2 })], 10, 1_000);
    holdings.receive([pulled('b')], 500, 1_000);
    expect(holdings.waiting.firstBatch()?.deadline).toBe(1_500);
    holdings.finish(a, 0);
    expect(holdings.waiting.firstBatch()?.deadline).toBe(1_010);
  });

  it('is of a last attempt after the others of its batch were given back', () => {
    const holdings = new Holdings(1);
    holdings.receive([pulled('last', { attempts: 2 }), pulled('a')], 0, 1_000);
    expect(ids(holdings.waiting.trim(960, 0).released)).toEqual(['a']);
    expect(holdings.waiting.firstBatch()?.deadline).toBe(1_000);
    holdings.receive([pulled('b')], 500, 1_000);
    expect(holdings.waiting.firstBatch()?.deadline).toBe(1_000);
    startOne(holdings, 960);
    expect(holdings.waiting.firstBatch()?.deadline).toBe(1_500);
  });

  it('is of what ends before a last attempt whose batch was given back', () => {
    const holdings = new Holdings(1);
    // A lease of 40 s has a margin of 2 s, one of 1 s of 50 ms.
    holdings.receive([pulled('last', { attempts: 2 })], 0, 40_000);
    holdings.receive([pulled('quick')], 38_900, 1_000);
    expect(holdings.waiting.trim(39_000, 0)).toEqual(none);
    expect(holdings.waiting.firstBatch()?.deadline).toBe(39_900);
  });
});

describe('trim()', () => {
  // A lease of 1 000 ms has a margin of 50 ms.
  it.each([
    [949, 'kept'],
    [950, 'kept'],
    [951, 'released'],
    [999, 'released'],
    [1_000, 'dropped'],
    [1_001, 'dropped'],
  ])('at %i ms of a lease of 1 000 the message is %s', (now, fate) => {
    const holdings = new Holdings(3);
    holdings.receive([pulled('a')], 0, 1_000);
    const { released, dropped } = holdings.waiting.trim(now, 0);
    expect([released.length, dropped.length]).toEqual([Number(fate === 'released'), Number(fate === 'dropped')]);
    expect(holdings.unstarted).toBe(fate === 'kept' ? 1 : 0);
    expect(holdings.start(now) !== undefined).toBe(fate === 'kept');
  });

  it.each([
    [999, 'kept'],
    [1_000, 'dropped'],
  ])('at %i ms a last attempt is %s', (now, fate) => {
    const holdings = new Holdings(0);
    holdings.receive([pulled('a')], 0, 1_000);
    const { released, dropped } = holdings.waiting.trim(now, 0);
    expect([released.length, dropped.length]).toEqual([0, Number(fate === 'dropped')]);
    expect(holdings.start(now) !== undefined).toBe(fate === 'kept');
  });

  it.each([
    [999, 0],
    [1_000, 1],
  ])('at %i ms drops %i deferred last attempts', (now, count) => {
    const holdings = new Holdings(1);
    holdings.receive([pulled('a')], 0, 10_000);
    const a = startOne(holdings, 0);
    holdings.settle(a, 'retry', 0);
    holdings.receive([pulled('a', { attempts: 2 })], 0, 1_000);
    expect(holdings.waiting.nextTrimAt(0)).toBeLessThanOrEqual(1_000);
    expect(holdings.waiting.trim(now, 0).dropped).toHaveLength(count);
  });

  it('frees what it takes out to be delivered again', () => {
    const holdings = new Holdings(3);
    holdings.receive([pulled('a')], 0, 1_000);
    const { dropped } = holdings.waiting.trim(1_000, 0);
    expect(dropped).toMatchObject([{ phase: 'over' }]);
    expect(holdings.nextLapseAt()).toBeUndefined();
    expect(holdings.receive([pulled('a', { attempts: 2 })], 1_000, 1_000)).toMatchObject({ fresh: 1 });
    expect(startAll(holdings, 1_000)).toEqual(['a']);
  });

  it('looks at every batch when margins differ, whichever ends first', () => {
    const holdings = new Holdings(3);
    // A lease of 40 s (margin 2 s) that ends just after one of 1 s (margin 50 ms).
    holdings.receive([pulled('slow')], 0, 40_000);
    holdings.receive([pulled('quick')], 38_900, 1_000);
    expect(holdings.waiting.nextTrimAt(0)).toBeLessThanOrEqual(38_001);
    const { released } = holdings.waiting.trim(39_000, 0);
    expect(ids(released)).toEqual(['slow']);
    expect(startAll(holdings, 39_000)).toEqual(['quick']);
  });

  it('says when it has something to do next', () => {
    const holdings = new Holdings(3);
    holdings.receive([pulled('a')], 0, 1_000);
    holdings.receive([pulled('z', { attempts: 9 })], 0, 800);
    expect(holdings.waiting.nextTrimAt(0)).toBeLessThanOrEqual(800);
    startOne(holdings, 0);
    expect(holdings.waiting.trim(800, 0)).toEqual(none);
    const at = holdings.waiting.nextTrimAt(0) ?? 0;
    expect(at).toBe(951);
    expect(holdings.waiting.nextTrimAt(1_000)).toBe(751);
    expect(holdings.waiting.trim(at - 1, 0)).toEqual(none);
    expect(holdings.waiting.trim(at, 0).released).toHaveLength(1);
  });
});

describe('park()', () => {
  it('ends the handler, and keeps the message known until it is settled and finished', () => {
    const holdings = new Holdings(5);
    holdings.receive([pulled('a')], 0, 1_000);
    const a = startOne(holdings, 0);
    holdings.park(a);
    holdings.park(a);
    expect([...holdings.running]).toEqual([]);
    expect(holdings.receive([pulled('a', { attempts: 2 })], 900, 1_000)).toMatchObject({ fresh: 0, swapped: 1 });
    expect(holdings.start(900)).toBeUndefined();
    expect(a).toMatchObject({ attempts: 2, deadline: 1_900 });
    holdings.settle(a, 'retry', 0);
    holdings.finish(a, 0);
    expect(holdings.running.size).toBe(0);
    expect(holdings.receive([pulled('a', { attempts: 3 })], 1_000, 1_000)).toMatchObject({ fresh: 1, swapped: 0 });
  });

  it('does nothing to a message that is not started', () => {
    const holdings = new Holdings(5);
    holdings.receive([pulled('a'), pulled('b')], 0, 1_000);
    const a = startOne(holdings, 0);
    holdings.finish(a, 0);
    holdings.park(a);
    expect(a).toMatchObject({ phase: 'over', isParked: false });
    expect(startAll(holdings, 0)).toEqual(['b']);
  });
});

describe('buffered', () => {
  it('counts what is buffered, and not what waits for the handler of its retried delivery', () => {
    const holdings = new Holdings(5);
    holdings.receive([pulled('a')], 0, 1_000);
    const a = startOne(holdings, 0);
    holdings.settle(a, 'retry', 0);
    holdings.receive([pulled('a', { attempts: 2 }), pulled('b')], 10, 1_000);
    expect(holdings).toMatchObject({ unstarted: 2, buffered: 1 });
    holdings.finish(a, 0);
    expect(holdings).toMatchObject({ unstarted: 2, buffered: 2 });
  });
});

describe('takeNewer()', () => {
  it.each([1, 5])('takes out what came again after it was given up, with %i retries allowed', (maxRetries) => {
    const holdings = new Holdings(maxRetries);
    holdings.receive([pulled('a')], 0, 1_000);
    const a = startOne(holdings, 0);
    holdings.finish(a, 0);
    holdings.receive([pulled('a', { attempts: 2 }), pulled('b')], 1_000, 1_000);
    const newer = holdings.takeNewer(a, 0);
    expect(newer).toMatchObject({ id: 'a', attempts: 2, phase: 'over' });
    holdings.settle(a, 'ack', undefined);
    expect(holdings).toMatchObject({ unstarted: 1 });
    expect(startAll(holdings, 1_000)).toEqual(['b']);
    const { done } = holdings.receive([pulled('a', { attempts: 3 })], 1_500, 1_000);
    expect(ids(done)).toEqual(['a']);
  });

  it('takes out what is kept to be started again', () => {
    const holdings = new Holdings(5);
    holdings.receive([pulled('a')], 0, 1_000);
    const a = startOne(holdings, 0);
    holdings.finish(a, 0);
    holdings.receive([pulled('a', { attempts: 2 })], 1_000, 1_000);
    const again = startOne(holdings, 1_000);
    holdings.keep(again);
    expect(holdings.takeNewer(a, 1_000)).toBe(again);
    holdings.settle(a, 'ack', undefined);
    expect([holdings.waiting.kept, holdings.unstarted, holdings.waiting.nextTrimAt(0)]).toEqual([[], 0, undefined]);
  });

  it('takes nothing that is started, finished or not known', () => {
    const holdings = new Holdings(5);
    holdings.receive([pulled('a')], 0, 1_000);
    const a = startOne(holdings, 0);
    holdings.finish(a, 0);
    expect(holdings.takeNewer(a, 0)).toBeUndefined();
    holdings.receive([pulled('a', { attempts: 2 })], 1_000, 1_000);
    const again = startOne(holdings, 1_000);
    expect(holdings.takeNewer(a, 0)).toBeUndefined();
    holdings.settle(again, 'ack', undefined);
    expect(holdings.takeNewer(a, 0)).toBeUndefined();
  });
});

describe('nextTrimAt()', () => {
  it.each([
    ['its margin', 3, 961],
    ['its deadline when it is on its last attempt', 1, 1_010],
  ])('of a deferred message, all others of its batch started, is %s', (_, maxRetries, at) => {
    const holdings = new Holdings(maxRetries);
    holdings.receive([pulled('a')], 0, 1_000);
    const a = startOne(holdings, 0);
    holdings.settle(a, 'retry', 0);
    holdings.receive([pulled('a', { attempts: 2 }), pulled('b')], 10, 1_000);
    expect(startAll(holdings, 10)).toEqual(['b']);
    expect(holdings.waiting.nextTrimAt(0)).toBe(at);
  });
});

describe('drain()', () => {
  it('takes out everything unstarted, by what its lease is worth', () => {
    const holdings = new Holdings(1);
    holdings.receive([pulled('r')], 0, 5_000);
    const running = startOne(holdings, 0);
    holdings.settle(running, 'retry', 0);
    holdings.receive([pulled('old')], 0, 1_000);
    holdings.receive([pulled('young'), pulled('last', { attempts: 2 })], 500, 1_000);
    holdings.receive([pulled('r', { attempts: 2 })], 500, 1_000);
    const { released, postponed, dropped } = holdings.waiting.drain(1_000);
    expect(ids(released).toSorted()).toEqual(['last', 'young']);
    expect(ids(postponed)).toEqual(['r']);
    expect(ids(dropped)).toEqual(['old']);
    expect(holdings).toMatchObject({ unstarted: 0, waiting: { bodyLength: 0 } });
    expect(holdings.start(1_000)).toBeUndefined();
    expect(holdings.waiting.drain(1_000)).toEqual(none);
    expect(ids(holdings.running)).toEqual(['r']);
    expect(holdings.nextLapseAt()).toBeUndefined();
  });
});

describe('settle() and finish()', () => {
  it('keeps the first decision', () => {
    const holdings = new Holdings(3);
    holdings.receive([pulled('a')], 0, 1_000);
    const a = startOne(holdings, 0);
    expect(holdings.settle(a, 'retry', 7)).toBe(true);
    expect(holdings.settle(a, 'ack', undefined)).toBe(false);
    expect(a).toMatchObject({ settledAs: 'retry', delaySeconds: 7 });
    holdings.finish(a, 0);
    holdings.finish(a, 0);
    expect(holdings.running.size).toBe(0);
    expect(a.phase).toBe('over');
  });

  it('remembers as done only what was acknowledged', () => {
    const holdings = new Holdings(3);
    holdings.receive([pulled('a')], 0, 1_000);
    const a = startOne(holdings, 0);
    holdings.finish(a, 0);
    expect(holdings.receive([pulled('a', { attempts: 2 })], 1_000, 1_000)).toMatchObject({ fresh: 1, done: [] });
  });

  // 30 000 others are more than are remembered as finished.
  it.each([0, 30_000])(
    'takes the late ack of a delivery that was given up, while a newer one runs, and %i others after it',
    (others) => {
      const holdings = new Holdings(3);
      holdings.receive([pulled('a')], 0, 1_000);
      const older = startOne(holdings, 0);
      expect(holdings.lapse(1_000)).toEqual([older]);
      holdings.finish(older, 0);
      holdings.receive([pulled('a', { attempts: 2 })], 1_000, 1_000_000);
      const newer = startOne(holdings, 1_000);
      expect(holdings.settle(older, 'ack', undefined)).toBe(true);
      for (let index = 0; index < others; index += 1) {
        holdings.receive([pulled(`m${index}`)], 1_000, 1_000);
        const lease = startOne(holdings, 1_000);
        holdings.settle(lease, 'ack', undefined);
        holdings.finish(lease, 0);
      }
      expect(holdings.settle(newer, 'retry', 0)).toBe(true);
      holdings.finish(newer, 0);
      expect(holdings.running.size).toBe(0);
      expect(holdings.nextLapseAt()).toBeUndefined();
      const { done } = holdings.receive([pulled('a', { attempts: 3 })], 1_500, 1_000);
      expect(ids(done)).toEqual(others === 0 ? ['a'] : []);
    },
  );

  it('counts a message as open until it is settled or finished, whichever comes first', () => {
    const holdings = new Holdings(3);
    holdings.receive([pulled('a'), pulled('b'), pulled('c')], 0, 1_000);
    const [a, b, c] = [startOne(holdings, 0), startOne(holdings, 0), startOne(holdings, 0)];
    holdings.settle(a, 'ack', undefined);
    expect(a.batch.open).toBe(2);
    holdings.finish(a, 0);
    expect(a.batch.open).toBe(2);
    holdings.finish(b, 0);
    expect(a.batch.open).toBe(1);
    holdings.settle(b, 'ack', undefined);
    expect(a.batch.open).toBe(1);
    expect(holdings.nextLapseAt()).toBe(1_000);
    holdings.settle(c, 'retry', undefined);
    expect(a.batch.open).toBe(0);
    expect(holdings.nextLapseAt()).toBeUndefined();
  });
});

describe('lapse()', () => {
  it.each([
    [999, 0],
    [1_000, 1],
  ])('at %i ms of a lease of 1 000 reports %i, and each once', (now, count) => {
    const holdings = new Holdings(3);
    holdings.receive([pulled('a')], 0, 1_000);
    startOne(holdings, 0);
    expect(holdings.lapse(now)).toHaveLength(count);
    expect(holdings.lapse(now)).toEqual([]);
    expect(holdings.lapse(2_000)).toHaveLength(1 - count);
  });

  it('leaves out what is settled, finished or unstarted', () => {
    const holdings = new Holdings(3);
    holdings.receive([pulled('settled'), pulled('finished'), pulled('open'), pulled('unstarted')], 0, 1_000);
    const settled = startOne(holdings, 0);
    const finished = startOne(holdings, 0);
    startOne(holdings, 0);
    holdings.settle(settled, 'ack', undefined);
    holdings.finish(finished, 0);
    expect(ids(holdings.lapse(1_000))).toEqual(['open']);
  });

  it('keeps few finished batches behind one hung handler, which it reports in the end', () => {
    const holdings = new Holdings(3);
    holdings.receive([pulled('hung')], 0, 1_000_000);
    const hung = startOne(holdings, 0);
    let looks = 0;
    for (let index = 0; index < 10_000; index += 1) {
      holdings.receive([pulled(`m${index}`)], index, 1_000_001);
      const lease = startOne(holdings, index);
      holdings.settle(lease, 'ack', undefined);
      holdings.finish(lease, 0);
      countLooks(lease, () => (looks += 1));
      holdings.lapse(index);
    }
    expect(holdings.nextLapseAt()).toBe(1_000_000);
    expect(holdings.lapse(1_000_000)).toEqual([hung]);
    // The list is private: what shows is how many are looked at after the hung one is gone.
    looks = 0;
    expect(holdings.nextLapseAt()).toBeUndefined();
    expect(looks).toBeLessThan(100);
  });

  it('looks at each of many open batches a few times, however often it is asked', () => {
    const holdings = new Holdings(3);
    let looks = 0;
    for (let index = 0; index < 1_000; index += 1) {
      holdings.receive([pulled(`m${index}`)], index, 1_000_000);
      countLooks(startOne(holdings, index), () => (looks += 1));
      expect(holdings.lapse(index)).toEqual([]);
    }
    expect(looks).toBeLessThan(3_000);
    expect(holdings.lapse(2_000_000)).toHaveLength(1_000);
  });
});

/** Calls `onLook` whenever somebody asks whether something of the lease's batch is open. */
function countLooks({ batch }: Lease, onLook: () => void): void {
  let { open } = batch;
  Object.defineProperty(batch, 'open', {
    get: () => {
      onLook();
      return open;
    },
    set: (value: number) => {
      open = value;
    },
  });
}

describe('suspects', () => {
  /** Of a queue of two retries: suspect from the second attempt on, and on the last with the third. */
  const receive = (
    attempts: Readonly<Record<string, number>>,
    holdings = new Holdings(2, { suspectFrom: 2 }),
  ): Holdings => {
    const messages = Object.entries(attempts).map(([id, count]) => pulled(id, { attempts: count }));
    holdings.receive(messages, 0, 1_000);
    return holdings;
  };

  it('are started last, those with the fewest attempts left first', () => {
    const holdings = receive({ a: 2, b: 3, c: 1, d: 1 });
    expect(ids(holdings.suspects)).toEqual(['b', 'a']);
    expect(holdings).toMatchObject({ urgent: [], buffered: 4 });
    expect(startAll(holdings, 0)).toEqual(['c', 'd', 'b', 'a']);
    expect(holdings.suspects).toEqual([]);
  });

  it('are none that was retried by its handler, one of the same handle or another', () => {
    const survived = new Survived();
    const holdings = receive({ a: 2 }, new Holdings(2, { suspectFrom: 2, survived }));
    const lease = startOne(holdings, 0);
    holdings.settle(lease, 'retry', 0);
    holdings.finish(lease, 0);
    expect(receive({ a: 3, b: 3 }, new Holdings(2, { suspectFrom: 2, survived })).suspects.map(({ id }) => id)).toEqual(
      ['b'],
    );
  });

  it('are still suspect when they were given back unstarted, or forgotten', () => {
    const holdings = receive({ a: 2, b: 2 });
    holdings.finish(startOne(holdings, 0), 0);
    holdings.waiting.drain(0);
    expect(ids(receive({ a: 3, b: 3 }, holdings).suspects).toSorted()).toEqual(['a', 'b']);
  });

  it('say what ends first when nothing else is buffered', () => {
    const holdings = receive({ a: 2 });
    expect(holdings.waiting.firstBatch()?.deadline).toBe(1_000);
  });

  it('are given back when they are due; on the last attempt they are started before others', () => {
    const holdings = receive({ a: 2, b: 3 });
    expect(holdings.waiting.nextTrimAt(0)).toBe(951);
    expect(holdings.waiting.trim(950, 0)).toEqual(none);
    expect(ids(holdings.waiting.trim(951, 0).released)).toEqual(['a']);
    expect(holdings).toMatchObject({ suspects: [], buffered: 1 });
    expect(ids(holdings.urgent)).toEqual(['b']);
    expect(ids(holdings.waiting.trim(1_000, 0).dropped)).toEqual(['b']);
  });

  it('leave with all else', () => {
    const holdings = receive({ a: 2, b: 3, c: 1 });
    startOne(holdings, 0);
    expect(ids(holdings.waiting.drain(0).released).toSorted()).toEqual(['a', 'b']);
    expect(holdings).toMatchObject({ suspects: [], unstarted: 0 });
  });

  it('stay aside with a newer lease', () => {
    const holdings = receive({ a: 2, b: 2 });
    holdings.receive([pulled('b', { attempts: 3 })], 10, 1_000);
    expect(ids(holdings.suspects)).toEqual(['b', 'a']);
    expect(holdings.urgent).toEqual([]);
  });

  it('are started in their turn when they are mingled', () => {
    const holdings = receive({ a: 2, b: 3 });
    expect(startOne(holdings, 0).id).toBe('b');
    receive({ c: 1, d: 2, e: 3 }, holdings);
    holdings.mingle();
    expect(holdings.suspects).toEqual([]);
    expect(startAll(holdings, 0)).toEqual(['e', 'c', 'd', 'a']);
  });
});

// A naive model: where every delivery of every message is, with no cleverness at all.
type Place = 'buffered' | 'deferred' | 'running';
interface Held {
  readonly id: string;
  place: Place;
  attempts: number;
  deadline: number;
  timeoutMs: number;
  isSuspect: boolean;
  settledAs?: 'ack' | 'retry';
}

const maxRetries = 2;
/** Makes margins of 5, 15 and 40 ms. */
const roundTripMs = 20;

type Step =
  | { readonly do: 'receive'; readonly ids: readonly number[]; readonly timeoutMs: number; readonly age: number }
  | { readonly do: 'start' | 'trim' | 'drain' | 'lapse' }
  | { readonly do: 'settle'; readonly which: number; readonly kind: 'ack' | 'retry' }
  | { readonly do: 'finish'; readonly which: number }
  | { readonly do: 'pass'; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('receive' as const),
    ids: fc.array(fc.nat(2), { minLength: 1, maxLength: 3 }),
    timeoutMs: fc.constantFrom(20, 60, 200),
    age: fc.integer({ min: 0, max: 30 }),
  }),
  fc.record({
    do: fc.constantFrom('start' as const, 'start' as const, 'trim' as const, 'drain' as const, 'lapse' as const),
  }),
  fc.record({
    do: fc.constant('settle' as const),
    which: fc.nat(5),
    kind: fc.constantFrom('ack' as const, 'retry' as const),
  }),
  fc.record({ do: fc.constant('finish' as const), which: fc.nat(5) }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 60 }) }),
);

const suspectFromAny = fc.constantFrom(Infinity, 2);

class Model {
  readonly holdings: Holdings;
  readonly held: Held[] = [];
  readonly done = new Set<string>();
  readonly lapsed = new Set<string>();
  readonly attempts = new Map<string, number>();
  readonly survived = new Set<string>();
  readonly #suspectFrom: number;
  now = 0;

  /** @param suspectFrom - of how many attempts is suspect */
  constructor(suspectFrom: number) {
    this.#suspectFrom = suspectFrom;
    this.holdings = new Holdings(maxRetries, { suspectFrom });
  }

  run(each: Step): void {
    switch (each.do) {
      case 'receive':
        return this.receive(each.ids.map(String), each.timeoutMs, each.age);
      case 'start':
        this.expectTrimmed(this.holdings.waiting.trim(this.now, roundTripMs), this.due());
        return this.start();
      case 'trim':
        return this.expectTrimmed(this.holdings.waiting.trim(this.now, roundTripMs), this.due());
      case 'drain':
        return this.expectTrimmed(
          this.holdings.waiting.drain(this.now),
          this.held.filter(({ place }) => place !== 'running'),
        );
      case 'lapse':
        return this.lapse();
      case 'settle':
        return this.settle(each.which, each.kind);
      case 'finish':
        return this.finish(each.which);
      case 'pass':
        this.now += each.ms;
    }
  }

  receive(names: readonly string[], timeoutMs: number, age: number): void {
    const sentAt = this.now - age;
    const expected = { fresh: 0, swapped: 0, done: 0 };
    const messages = names.map((id) => {
      const attempts = (this.attempts.get(id) ?? 0) + 1;
      this.attempts.set(id, attempts);
      const delivery = { attempts, deadline: sentAt + timeoutMs, timeoutMs };
      const unsettled = this.held.find((held) => held.id === id && held.settledAs === undefined);
      if (this.done.has(id)) expected.done += 1;
      else if (unsettled !== undefined) {
        Object.assign(unsettled, delivery);
        this.lapsed.delete(id);
        expected.swapped += 1;
      } else {
        const runs = this.held.some((held) => held.id === id);
        const isSuspect = !runs && attempts >= this.#suspectFrom && !this.survived.has(id);
        this.held.push({ id, place: runs ? 'deferred' : 'buffered', isSuspect, ...delivery });
        expected.fresh += 1;
      }
      return pulled(id, { attempts });
    });
    const { fresh, swapped, done } = this.holdings.receive(messages, sentAt, timeoutMs);
    expect({ fresh, swapped, done: done.length }).toEqual(expected);
  }

  due(): Held[] {
    return this.held.filter(({ place, attempts, deadline, timeoutMs }) => {
      if (place === 'running') return false;
      return attempts > maxRetries ? deadline <= this.now : deadline - this.now < marginMs(timeoutMs, roundTripMs);
    });
  }

  expectTrimmed({ released, postponed, dropped }: Trimmed, due: Held[]): void {
    const dueIds = (isIt: (held: Held) => boolean): string[] =>
      due
        .filter(isIt)
        .map(({ id }) => id)
        .toSorted();
    const isLate = ({ deadline }: Held): boolean => deadline <= this.now;
    expect(ids(dropped).toSorted()).toEqual(dueIds(isLate));
    expect(ids(postponed).toSorted()).toEqual(dueIds((held) => !isLate(held) && held.place === 'deferred'));
    expect(ids(released).toSorted()).toEqual(dueIds((held) => !isLate(held) && held.place === 'buffered'));
    for (const each of due) this.held.splice(this.held.indexOf(each), 1);
    for (const each of this.held) {
      if (each.deadline - this.now < marginMs(each.timeoutMs, roundTripMs)) each.isSuspect = false;
    }
  }

  start(): void {
    const buffered = this.held.filter(({ place }) => place === 'buffered');
    const usual = buffered.filter(({ isSuspect }) => !isSuspect);
    const urgent = usual.filter(({ attempts }) => attempts > maxRetries);
    const from = [urgent, usual, buffered].find((each) => each.length > 0) ?? [];
    const lease = this.holdings.start(this.now);
    expect(lease === undefined).toBe(from.length === 0);
    if (lease === undefined) return;
    const first = Math.min(...from.map(({ deadline }) => deadline));
    const fewestLeft = Math.max(...from.map(({ attempts }) => attempts));
    const held = from.find(({ id }) => id === lease.id);
    expect(held?.attempts).toBe(lease.attempts);
    if (from === buffered) expect(lease.attempts).toBe(fewestLeft);
    else expect(held?.deadline).toBe(first);
    if (held !== undefined) held.place = 'running';
  }

  lapse(): void {
    const expected = this.held.filter(
      ({ id, place, settledAs, deadline }) =>
        place === 'running' && settledAs === undefined && deadline <= this.now && !this.lapsed.has(id),
    );
    for (const { id } of expected) this.lapsed.add(id);
    expect(ids(this.holdings.lapse(this.now)).toSorted()).toEqual(expected.map(({ id }) => id).toSorted());
  }

  settle(which: number, kind: 'ack' | 'retry'): void {
    const lease = [...this.holdings.running][which];
    if (lease === undefined) return;
    const held = this.runningOf(lease);
    const isFirst = held.settledAs === undefined;
    expect(this.holdings.settle(lease, kind, undefined)).toBe(isFirst);
    if (!isFirst) return;
    held.settledAs = kind;
    if (kind === 'ack') this.done.add(held.id);
  }

  finish(which: number): void {
    const lease = [...this.holdings.running][which];
    if (lease === undefined) return;
    const held = this.runningOf(lease);
    this.held.splice(this.held.indexOf(held), 1);
    this.lapsed.delete(held.id);
    if (held.settledAs === 'retry') this.survived.add(held.id);
    const deferred = this.held.find(({ id, place }) => id === held.id && place === 'deferred');
    if (deferred !== undefined) deferred.place = 'buffered';
    this.holdings.finish(lease, 0);
  }

  runningOf(lease: Lease): Held {
    const held = this.held.find(({ id, place }) => id === lease.id && place === 'running');
    if (held === undefined) throw new Error('it runs, and nobody knows');
    return held;
  }

  check(): void {
    const running = ids(this.holdings.running);
    expect(new Set(running).size).toBe(running.length);
    const expected = this.held.filter(({ place }) => place === 'running').map(({ id }) => id);
    expect(running.toSorted()).toEqual(expected.toSorted());
    const unstarted = this.held.length - expected.length;
    expect(this.holdings).toMatchObject({ unstarted, waiting: { bodyLength: 10 * unstarted } });
  }
}

describe('Holdings', () => {
  it('has every message in exactly one of buffered, running and left, as a naive model has', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), suspectFromAny, (steps, suspectFrom) => {
        const model = new Model(suspectFrom);
        for (const each of steps) {
          model.run(each);
          model.check();
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('has its next trim and lapse no later than there is something to do', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), suspectFromAny, (steps, suspectFrom) => {
        const model = new Model(suspectFrom);
        for (const each of steps) {
          const trimAt = model.holdings.waiting.nextTrimAt(roundTripMs) ?? Infinity;
          const due = model.due();
          if (due.length > 0) expect(trimAt).toBeLessThanOrEqual(model.now);
          model.run(each);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('shed()', () => {
  it('takes out what may come again, later, and leaves last attempts', () => {
    const holdings = new Holdings(1);
    holdings.receive([pulled('old')], 0, 1_000);
    holdings.receive([pulled('a'), pulled('last', { attempts: 2 }), pulled('b')], 500, 1_000);
    const { released, postponed, dropped } = holdings.waiting.shed(1_000);
    expect([released, ids(postponed), ids(dropped)]).toEqual([[], ['a', 'b'], ['old']]);
    expect(holdings.buffered).toBe(1);
    expect(holdings.waiting.shed(1_000)).toEqual(none);
    expect(startAll(holdings, 1_000)).toEqual(['last']);
  });
});

describe('keep()', () => {
  /** Of three that were started, keeps the first two. */
  function keeping(attempts = 1): { holdings: Holdings; kept: readonly [Lease, Lease] } {
    const holdings = new Holdings(3);
    holdings.receive([pulled('a', { attempts }), pulled('b'), pulled('c')], 0, 1_000);
    const kept = [startOne(holdings, 0), startOne(holdings, 0)] as const;
    startOne(holdings, 0);
    for (const lease of kept) holdings.keep(lease);
    return { holdings, kept };
  }

  it('starts nothing of it before it is revived', () => {
    const { holdings, kept } = keeping();
    expect(holdings).toMatchObject({ unstarted: 2, buffered: 0, waiting: { bodyLength: 20, kept } });
    expect([ids(holdings.running), startAll(holdings, 10)]).toEqual([['c'], []]);
    holdings.waiting.revive(kept[1]);
    expect(holdings).toMatchObject({ buffered: 1, waiting: { kept: [kept[0]] } });
    expect(startAll(holdings, 10)).toEqual(['b']);
  });

  it('gives it up near the end of its lease, on a last attempt at the end', () => {
    const { holdings } = keeping(4);
    expect(ids(holdings.waiting.trim(960, 0).postponed)).toEqual(['b']);
    expect(holdings.waiting.nextTrimAt(0)).toBe(1_000);
    expect(ids(holdings.waiting.trim(1_000, 0).dropped)).toEqual(['a']);
    expect(holdings).toMatchObject({ unstarted: 0, waiting: { kept: [] } });
  });

  it('swaps its lease when it comes again', () => {
    const { holdings, kept } = keeping();
    const { swapped } = holdings.receive([pulled('a', { attempts: 2 })], 900, 1_000);
    expect([swapped, kept[0].attempts, kept[0].deadline]).toEqual([1, 2, 1_900]);
    expect(holdings.waiting.kept).toEqual(kept);
  });

  it.each(['kept', 'revived'])('lets it be settled while it is %s', (how) => {
    const { holdings, kept } = keeping();
    const [lease, other] = kept;
    if (how === 'revived') for (const each of kept) holdings.waiting.revive(each);
    holdings.takeKept(lease);
    holdings.settle(lease, 'ack', undefined);
    holdings.finish(lease, 10);
    expect([lease.phase, holdings.knows('a'), holdings.unstarted]).toEqual(['over', true, 1]);
    if (how === 'kept') holdings.waiting.revive(other);
    expect(startAll(holdings, 10)).toEqual(['b']);
    expect(holdings.receive([pulled('a', { attempts: 2 })], 20, 1_000).done).toHaveLength(1);
  });
});
