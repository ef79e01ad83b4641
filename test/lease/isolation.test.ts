import { describe, expect, it } from 'vitest';
import { Holdings } from '../../src/lease/holdings.ts';
import { bySuspicion, Isolation, suspectFrom } from '../../src/lease/isolation.ts';
import { Lease, LeaseBatch } from '../../src/lease/lease.ts';
import { pulled } from './leases.ts';

const leaseMs = 1_000;

/** Messages in hand, by their ids and attempts. */
class Bench {
  readonly holdings = new Holdings(3, { suspectFrom: suspectFrom(3) });
  isPending = false;
  readonly isolation = new Isolation(this.holdings, leaseMs, () => this.isPending);

  receive(attempts: Readonly<Record<string, number>>, now = 0): void {
    const messages = Object.entries(attempts).map(([id, count]) => pulled(id, { attempts: count }));
    this.holdings.receive(messages, now, 100 * leaseMs);
    this.isolation.onAnswer(messages, now);
  }

  start(now: number): Lease {
    const lease = this.holdings.start(now);
    if (lease === undefined) throw new Error('nothing to start');
    this.isolation.onStarted(lease, now);
    return lease;
  }

  end(lease: Lease): void {
    this.holdings.settle(lease, 'ack', undefined);
    this.holdings.finish(lease, 0);
  }
}

describe('suspectFrom()', () => {
  it('is the last attempt but one, and never the first', () => {
    expect([0, 1, 2, 3, 100].map(suspectFrom)).toEqual([2, 2, 2, 3, 100]);
  });
});

describe('bySuspicion()', () => {
  const order = (...messages: [id: string, attempts: number][]): string[] => {
    const leases = messages.map(([id, attempts]) => new Lease(pulled(id, { attempts }), new LeaseBatch(0, leaseMs)));
    return leases.toSorted(bySuspicion).map(({ id }) => id);
  };

  it('has those with the fewest attempts left first', () => {
    expect(order(['a', 3], ['b', 4], ['c', 3]).indexOf('b')).toBe(0);
  });

  it('turns round what has as many, from one attempt to the next', () => {
    const ids = ['a', 'b', 'c', 'd', 'e'];
    const third = order(...ids.map((id): [string, number] => [id, 3]));
    const fourth = order(...ids.map((id): [string, number] => [id, 4]));
    expect(fourth).toEqual(third.toReversed());
  });
});

describe('Isolation', () => {
  it('limits nothing while nothing is suspect', () => {
    const { isolation, ...bench } = new Bench();
    expect(isolation.startable(0)).toBe(Infinity);
    expect(isolation.startableWithin(100, 0)).toBe(Infinity);
    expect(isolation.nextAt()).toBe(Infinity);
    expect(bench.isPending).toBe(false);
  });

  it('starts all others first, and pulls nothing meanwhile', () => {
    const bench = new Bench();
    bench.receive({ a: 1, b: 3 });
    expect(bench.isolation.startable(0)).toBe(Infinity);
    expect(bench.isolation.startableWithin(100, 0)).toBe(2);
    expect(bench.start(0).id).toBe('a');
    expect(bench.isolation.startable(0)).toBe(0);
    expect(bench.isolation.startableWithin(100, 0)).toBe(1);
  });

  it('starts a suspect when nothing runs and nothing is on its way', () => {
    const bench = new Bench();
    bench.receive({ a: 1, b: 3 });
    const a = bench.start(0);
    bench.isPending = true;
    bench.end(a);
    expect(bench.isolation.startable(10)).toBe(0);
    bench.isPending = false;
    expect(bench.isolation.startable(20)).toBe(1);
  });

  it('starts nothing while one runs, and the next when it has ended', () => {
    const bench = new Bench();
    bench.receive({ a: 3, b: 3 });
    const first = bench.start(0);
    bench.receive({ c: 1 });
    expect(bench.isolation.startable(10)).toBe(0);
    expect(bench.isolation.startableWithin(100, 10)).toBe(2);
    bench.end(first);
    expect(bench.isolation.startable(20)).toBe(Infinity);
    expect(bench.start(20).id).toBe('c');
    expect(bench.isolation.startable(20)).toBe(0);
  });

  it('goes on where a suspect has ended although its settlement waits for something else', () => {
    const bench = new Bench();
    bench.receive({ a: 3 });
    bench.holdings.park(bench.start(0));
    expect(bench.isolation.startable(10)).toBe(Infinity);
  });

  it('holds up nobody for what is on its last attempt and no suspect', () => {
    const bench = new Bench();
    bench.receive({ a: 3 });
    const [a] = [bench.start(0)];
    bench.holdings.settle(a, 'retry', undefined);
    bench.holdings.finish(a, 0);
    bench.receive({ b: 3 });
    bench.start(0);
    expect(bench.isolation.startable(10)).toBe(0);
    bench.receive({ a: 4 });
    expect(bench.isolation.startable(10)).toBe(Infinity);
  });

  it('waits for half a lease: for what runs, and for a suspect', () => {
    const bench = new Bench();
    bench.receive({ a: 1 });
    bench.start(0);
    bench.receive({ b: 3, c: 3 }, 100);
    expect(bench.isolation.startable(100)).toBe(0);
    expect(bench.isolation.nextAt()).toBe(600);
    expect(bench.isolation.startable(599)).toBe(0);
    expect(bench.isolation.startable(600)).toBe(1);
    bench.start(600);
    expect(bench.isolation.nextAt()).toBe(1_100);
    expect(bench.isolation.startable(1_099)).toBe(0);
    // Then the next one waits, as the first did.
    expect(bench.isolation.startable(1_100)).toBe(0);
    expect(bench.isolation.startable(1_600)).toBe(1);
  });

  it('holds up others for two leases at a stretch, and then starts suspects as all others, until half of that is made good', () => {
    const bench = new Bench();
    const ids = Array.from({ length: 60 }, (_, n) => `m${n}`);
    bench.receive(Object.fromEntries(ids.map((id) => [id, 3])));
    let now = 0;
    for (; bench.isolation.startable(now) === 1; now += 100) {
      const lease = bench.start(now);
      expect(bench.isolation.startable(now + 99)).toBe(0);
      bench.end(lease);
    }
    expect(now).toBe(2_000);
    expect(bench.isolation.startable(now)).toBe(Infinity);
    expect(bench.holdings.suspects).toEqual([]);
    expect(bench.holdings.buffered).toBe(40);
    for (let left = 40; left > 0; left -= 1) bench.end(bench.start(now));
    bench.receive({ soon: 3 }, now);
    expect(bench.isolation.startable(now + 9_990)).toBe(Infinity);
    bench.end(bench.start(now));
    bench.receive({ late: 3 }, now);
    expect(bench.isolation.startable(now + 10_010)).toBe(1);
  });
});

describe('most()', () => {
  it('is one at first, and one more for each that has ended; any number while something runs', () => {
    const bench = new Bench();
    expect(bench.isolation.most(0)).toBe(1);
    bench.receive({ a: 2 });
    expect(bench.isolation.most(0)).toBe(1);
    const lease = bench.start(0);
    expect(bench.isolation.most(0)).toBe(Infinity);
    bench.end(lease);
    expect(bench.isolation.most(0)).toBe(2);
  });

  it('is any number once a message has come for the first time, until the queue is empty for a quarter of a lease', () => {
    const bench = new Bench();
    bench.receive({ a: 2, b: 1 });
    expect(bench.isolation.most(0)).toBe(Infinity);
    bench.receive({ c: 2 });
    expect(bench.isolation.most(0)).toBe(Infinity);
    bench.receive({}, 249);
    expect(bench.isolation.most(249)).toBe(Infinity);
    bench.receive({}, 250);
    expect(bench.isolation.most(250)).toBe(1);
  });

  it('is one after a suspect has come, whatever came with it', () => {
    const bench = new Bench();
    bench.receive({ a: 1, b: 3 });
    expect(bench.isolation.most(0)).toBe(1);
  });

  it('is any number four leases after the beginning, and after a suspect', () => {
    const bench = new Bench();
    expect(bench.isolation.most(50)).toBe(1);
    expect(bench.isolation.most(4_049)).toBe(1);
    expect(bench.isolation.most(4_050)).toBe(Infinity);
    bench.receive({ a: 3 }, 5_000);
    expect(bench.isolation.most(8_999)).toBe(1);
    expect(bench.isolation.most(9_000)).toBe(Infinity);
  });
});
