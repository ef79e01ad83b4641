import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeenHandlers } from '../../src/lease/handlers.ts';
import { marginMs } from '../../src/lease/margin.ts';
import { planPull, type PullBounds, type PullState, unstartedBound } from '../../src/lease/plan-pull.ts';
import { SerialTime } from '../../src/lease/serial-time.ts';
import { UnseenHandlers } from '../../src/lease/unseen-handlers.ts';
import type { Lease } from '../../src/lease/lease.ts';
import { started } from './leases.ts';

const bounds: PullBounds = {
  visibilityTimeoutMs: 30_000,
  batchSize: 100,
  maxBuffered: 1_000,
  maxBufferedBytes: 16_000_000,
  maxPulls: 4,
  order: undefined,
};

/** The loop was kept for so long by each of so many messages. */
function kept(eachMs: number, messages = 100): SerialTime {
  const serial = new SerialTime(30_000);
  for (let index = 0; index < messages; index += 1) serial.observe(eachMs, 1);
  return serial;
}

/** Each keeps the loop for a millisecond. */
const oneEach = { handed: 1_000, meanMs: 1, stallMs: 0, startableWithin: (ms: number): number => ms };

const nothing: PullState = {
  unstarted: 0,
  blocked: 0,
  longest: () => 0,
  overtaken: 0,
  due: 0,
  isSeeking: false,
  unstartedLength: 0,
  asked: 0,
  pullsUnderWay: 0,
  lastWasFull: false,
  roundTripMs: 20,
  meanLength: 0,
  serial: kept(0),
};

interface Work {
  readonly count?: number;
  readonly busy?: number;
  readonly finished?: number;
  readonly eachMs?: number;
  readonly atOnce?: number;
}

/** Handlers that finished so many messages in so many milliseconds each. */
function seen({ count = 1, busy = 0, finished = 0, eachMs = 10, atOnce = 1 }: Work = {}): SeenHandlers {
  const running = new Set<Lease>();
  for (let index = 0; index < busy; index += 1) running.add(started(`r${index}`, 0, 30_000));
  const handlers = new SeenHandlers(count, running, atOnce);
  for (let index = 0; index < finished; index += 1) handlers.observe(eachMs);
  return handlers;
}

describe('unstartedBound()', () => {
  const boundOf = (work: Work, state: Partial<PullState> = {}, now = 0): number =>
    unstartedBound(seen(work), bounds, { ...nothing, ...state }, now);

  it('is the idle handlers before the first one finishes', () => {
    expect(boundOf({ count: 7 })).toBe(7);
    expect(boundOf({ count: 7, busy: 3 })).toBe(4);
    expect(boundOf({ count: 7, busy: 7 })).toBe(0);
  });

  it('is one, and then four times what was handed out, before anybody knows whether handlers compute', () => {
    expect(boundOf({ count: 100 }, { serial: kept(0, 0) })).toBe(1);
    expect(boundOf({ count: 100, atOnce: 10 }, { serial: kept(0, 0) })).toBe(10);
    expect(boundOf({ count: 100, busy: 1 }, { serial: kept(0, 1) })).toBe(4);
    expect(boundOf({ count: 100, busy: 5 }, { serial: kept(0, 5) })).toBe(20);
    expect(boundOf({ count: 100, busy: 25 }, { serial: kept(0, 25) })).toBe(75);
  });

  it('feeds no more idle handlers than can be started one after the other in time', () => {
    // The budget is 14 250 ms.
    expect(boundOf({ count: 100 }, { serial: kept(1_000, 1_000) })).toBe(14);
    expect(boundOf({ count: 100 }, { serial: kept(14_000, 1_000) })).toBe(1);
    expect(boundOf({ count: 100 }, { serial: kept(20_000, 1_000) })).toBe(1);
  });

  it('starts with four times what was finished', () => {
    expect(boundOf({ busy: 1, finished: 1, eachMs: 1 })).toBe(4);
    expect(boundOf({ busy: 1, finished: 5, eachMs: 1 })).toBe(20);
  });

  it('is what fits half of the lease less its margin, as a sum of whole numbers', () => {
    // The budget is 0.5 * (30 000 - 1 500) = 14 250 ms.
    const budget = 0.5 * (30_000 - marginMs(30_000, 20));
    expect(budget).toBe(14_250);
    const handlers = seen({ busy: 1, finished: 200, eachMs: 100 });
    const fits = Math.floor(budget / handlers.estimateMs);
    expect(unstartedBound(handlers, bounds, nothing, 0)).toBe(fits);
    const three = seen({ count: 3, busy: 3, finished: 200, eachMs: 10_000 });
    expect(unstartedBound(three, bounds, nothing, 0)).toBe(3 * Math.floor(budget / three.estimateMs));
  });

  it('never exceeds maxBuffered', () => {
    expect(boundOf({ finished: 1_000, eachMs: 0 }, { serial: kept(0, 1_000) })).toBe(1_000);
    expect(unstartedBound(seen({ count: 9 }), { ...bounds, maxBuffered: 5 }, nothing, 0)).toBe(5);
  });

  it('counts a hung handler by its own age, and lets the others go on', () => {
    const hung = boundOf({ count: 2, busy: 1, finished: 500, eachMs: 100 }, {}, 14_251);
    const both = boundOf({ count: 2, busy: 1, finished: 500, eachMs: 100 }, {}, 0);
    expect(both).toBe(2 * hung);
    expect(hung).toBeGreaterThan(0);
  });
});

describe('planPull()', () => {
  const planOf = (work: Work, state: Partial<PullState> = {}, more: Partial<PullBounds> = {}): number =>
    planPull(seen(work), { ...bounds, ...more }, { ...nothing, ...state }, 0);

  it('asks for one message for a loop that has not begun, and for one for each handler of many', () => {
    expect(planOf({})).toBe(1);
    expect(planOf({ count: 10 })).toBe(10);
    expect(planOf({ count: 500 })).toBe(100);
  });

  it('does not ask while the only handler works on the first message', () => {
    expect(planOf({ busy: 1 })).toBe(0);
  });

  it('counts what was asked for', () => {
    expect(planOf({ count: 10 }, { asked: 10, pullsUnderWay: 1, lastWasFull: true })).toBe(0);
    expect(planOf({ count: 10 }, { asked: 4, pullsUnderWay: 1, lastWasFull: true })).toBe(6);
  });

  it.each<[Partial<PullState>, number]>([
    [{ pullsUnderWay: 1, lastWasFull: false }, 0],
    [{ pullsUnderWay: 3, lastWasFull: true }, 10],
    [{ pullsUnderWay: 4, lastWasFull: true }, 0],
    [{ pullsUnderWay: 4, lastWasFull: true, roundTripMs: 50 }, 0],
    [{ pullsUnderWay: 4, lastWasFull: true, roundTripMs: 51 }, 10],
    [{ pullsUnderWay: 7, lastWasFull: true, roundTripMs: 51 }, 10],
    [{ pullsUnderWay: 8, lastWasFull: true, roundTripMs: 51 }, 0],
  ])('with %o asks for %i', (state, asked) => {
    expect(planOf({ count: 10 }, state)).toBe(asked);
  });

  it('asks for the one handler that has nothing, although another has', () => {
    expect(planOf({ count: 2 }, { unstarted: 1 })).toBe(1);
    expect(planOf({ count: 2 }, { unstarted: 2 })).toBe(0);
  });

  it('asks for what 250 ms consume', () => {
    expect(planOf({ busy: 1, finished: 100, eachMs: 10 })).toBe(25);
    expect(planOf({ busy: 1, finished: 100, eachMs: 1 })).toBe(100);
    expect(planOf({ busy: 1, finished: 100, eachMs: 1_000 })).toBe(1);
  });

  it('asks for what a tenth of a short lease consumes, and a fifth where handlers keep the loop', () => {
    const work = { busy: 1, finished: 100, eachMs: 5 };
    expect(planOf(work, {}, { visibilityTimeoutMs: 1_000 })).toBe(20);
    expect(planOf(work, { serial: kept(5, 1_000) }, { visibilityTimeoutMs: 1_000 })).toBe(40);
  });

  it('asks for what two round trips consume when they are longer', () => {
    expect(planOf({ busy: 1, finished: 100, eachMs: 20 }, { roundTripMs: 400 })).toBe(40);
  });

  it('asks for no more than the loop lets start in that time', () => {
    const work = { count: 10, busy: 1, finished: 100, eachMs: 10 };
    expect(planOf(work, { serial: kept(10, 1_000), unstarted: 9 })).toBe(0);
    expect(planOf({ ...work, count: 1 }, { serial: kept(50, 1_000) })).toBe(5);
  });

  it('asks for as many idle handlers as the loop can start in 250 ms, when what is there would not last', () => {
    const work = { count: 200, finished: 100, eachMs: 10 };
    const planWith = (unstarted: number, due: 0 | 1 = 0): number =>
      planOf(work, { serial: kept(10, 1_000), unstarted, due });
    // And one that is there when the last of them is started; two round trips, and one in which the next look is late.
    expect([planWith(0), planWith(4), planWith(5), planWith(26)]).toEqual([26, 25, 0, 0]);
    expect(planWith(26, 1)).toBe(25);
  });

  it('tops up for a loop that computes what may not be more, message by message', () => {
    const work = { count: 200, finished: 100, eachMs: 10 };
    const planWith = (unstarted: number): number =>
      planOf(work, { serial: kept(10, 1_000), unstarted, roundTripMs: 200 }, { maxBuffered: 5 });
    expect([planWith(0), planWith(3), planWith(4), planWith(5)]).toEqual([5, 2, 1, 0]);
  });

  it('fills a batch however few messages the loop can start in that time', () => {
    const work = { count: 20, atOnce: 10, finished: 100, eachMs: 600 };
    const planWith = (unstarted: number): number =>
      planOf(work, { serial: kept(60, 1_000), unstarted }, { visibilityTimeoutMs: 3_000 });
    expect([planWith(9), planWith(16), planWith(20)]).toEqual([11, 4, 0]);
  });

  it('has one more there when what idle handlers compute takes longer than that', () => {
    const work = { count: 10, finished: 100, eachMs: 1_000 };
    const planWith = (unstarted: number): number => planOf(work, { serial: kept(1_000, 1_000), unstarted });
    expect([planWith(0), planWith(1), planWith(2)]).toEqual([2, 1, 0]);
  });

  it('asks for as much at a time where an order is kept, since only one pull is under way', () => {
    const work = { count: 10, finished: 100, eachMs: 1_000 };
    const planWith = (unstarted: number): number =>
      planOf(work, { serial: kept(1_000, 1_000), unstarted }, { order: { key: 'given', lookAhead: 100 } });
    expect([planWith(0), planWith(1), planWith(2)]).toEqual([2, 2, 0]);
  });

  it.each([
    // Of 25 that are consumed in a stretch.
    [0, 20],
    [3, 17],
    [5, 25],
    [19, 21],
  ])('leaves no batch of 10 begun: holding %i asks for %i', (unstarted, asked) => {
    const work = { busy: 1, finished: 100, eachMs: 10, atOnce: 10 };
    // Two round trips consume 20.
    expect(planOf(work, { unstarted, roundTripMs: 100 })).toBe(asked);
  });

  it.each([
    [0, 10],
    [2, 8],
    [8, 2],
  ])('fills a batch that takes longer than a stretch: holding %i asks for %i', (unstarted, asked) => {
    const work = { count: 10, finished: 100, eachMs: 100, atOnce: 10 };
    expect(planOf(work, { unstarted, serial: kept(100, 1_000) })).toBe(asked);
    expect(planOf(work, { unstarted, serial: kept(100, 1_000) }, { maxBuffered: 9 })).toBe(
      Math.min(asked, 9 - unstarted),
    );
  });

  it('asks earlier by as long as the loop may be kept from the next look, up to a hundredth of the lease', () => {
    const work = { count: 200, busy: 200, finished: 1_000, eachMs: 10 };
    const planWith = (stallMs: number, unstarted: number, visibilityTimeoutMs = 30_000): number =>
      planOf(work, { serial: { ...oneEach, stallMs }, unstarted }, { visibilityTimeoutMs });
    // At 1 ms each, two round trips of 20 ms consume 40.
    expect([planWith(0, 40), planWith(0, 39)]).toEqual([0, 100]);
    expect([planWith(15, 55), planWith(15, 54)]).toEqual([0, 100]);
    expect([planWith(400, 340), planWith(400, 339)]).toEqual([0, 100]);
    expect([planWith(15, 45, 500), planWith(15, 44, 500)]).toEqual([0, 100]);
  });

  it('asks only when what there is would not last two round trips', () => {
    const work = { busy: 1, finished: 100, eachMs: 10 };
    // Two round trips of 20 ms consume 4.
    expect(planOf(work, { unstarted: 4 })).toBe(0);
    expect(planOf(work, { unstarted: 3 })).toBe(25);
    expect(planOf(work, { unstarted: 1, asked: 3, pullsUnderWay: 1, lastWasFull: true })).toBe(0);
  });

  it('hoards nothing when nothing takes any time', () => {
    // Two round trips of 0 ms and handlers of 0 ms: 0 / 0 messages are consumed meanwhile.
    expect(planOf({ busy: 1, finished: 100, eachMs: 0 }, { unstarted: 1, roundTripMs: 0 })).toBe(0);
    expect(planOf({ busy: 1, finished: 100, eachMs: 0 }, { unstarted: 0, roundTripMs: 0 })).toBe(100);
  });

  it('always keeps one ready for a busy handler that takes long', () => {
    expect(planOf({ busy: 1, finished: 100, eachMs: 2_000 }, { unstarted: 0 })).toBe(1);
    expect(planOf({ busy: 1, finished: 100, eachMs: 2_000 }, { unstarted: 1 })).toBe(0);
  });

  it('does not top up a nearly full buffer message by message', () => {
    const more = { maxBuffered: 10 };
    const work = { busy: 1, finished: 100, eachMs: 1 };
    expect(planOf(work, { unstarted: 9 }, more)).toBe(0);
    expect(planOf(work, { unstarted: 6 }, more)).toBe(0);
    expect(planOf(work, { unstarted: 5 }, more)).toBe(5);
  });

  it.each([
    [41, 0],
    [40, 10],
    [39, 10],
  ])('fills a buffer of 50 with whole batches of 10: holding %i asks for %i', (unstarted, asked) => {
    // Two round trips consume 60, so that it is never full enough to wait.
    const state = { unstarted, roundTripMs: 30 };
    const more = { maxBuffered: 50, batchSize: 10 };
    expect(planOf({ busy: 1, finished: 100, eachMs: 1 }, state, more)).toBe(asked);
  });

  it('tops up a nearly full buffer for a handler that idles', () => {
    expect(planOf({ count: 5, finished: 100, eachMs: 1 }, { unstarted: 4 }, { maxBuffered: 5 })).toBe(1);
  });

  it.each([4, 5, 6])('asks for nothing with %i in a buffer of 4, whoever idles', (unstarted) => {
    expect(planOf({ count: 10 }, { unstarted }, { maxBuffered: 4 })).toBe(0);
  });

  it('keeps to the bytes that may be buffered, by the mean of a body', () => {
    const work = { busy: 1, finished: 1_000, eachMs: 1 };
    const more = { maxBufferedBytes: 1_000 };
    expect(planOf(work, { meanLength: 100 }, more)).toBe(10);
    expect(planOf(work, { meanLength: 100, unstarted: 2, unstartedLength: 500 }, more)).toBe(5);
    expect(planOf(work, { meanLength: 100, unstarted: 2, unstartedLength: 950 }, more)).toBe(0);
    expect(planOf(work, { meanLength: 100, asked: 9, pullsUnderWay: 1, lastWasFull: true }, more)).toBe(0);
  });

  it('takes one body that is larger than the bound into an empty buffer', () => {
    const work = { busy: 1, finished: 1_000, eachMs: 1 };
    expect(planOf(work, { meanLength: 5_000 }, { maxBufferedBytes: 1_000 })).toBe(1);
    const one = { meanLength: 5_000, unstarted: 1, unstartedLength: 1 };
    expect(planOf(work, one, { maxBufferedBytes: 1_000 })).toBe(0);
    const idle = { count: 5, finished: 1_000, eachMs: 1 };
    const another = { ...one, asked: 1, pullsUnderWay: 1, lastWasFull: true };
    expect(planOf(idle, another, { maxBufferedBytes: 1_000 })).toBe(0);
  });

  it('never asks beyond any bound', () => {
    const work = fc.record({
      count: fc.integer({ min: 1, max: 20 }),
      busy: fc.nat(20),
      finished: fc.nat(30),
      eachMs: fc.constantFrom(0, 0.1, 1, 10, 1_000, 20_000),
    });
    const state = fc.record({
      unstarted: fc.nat(60),
      asked: fc.nat(60),
      pullsUnderWay: fc.nat(9),
      lastWasFull: fc.boolean(),
      roundTripMs: fc.constantFrom(0, 1, 20, 51, 500, 5_000),
      meanLength: fc.constantFrom(0, 10, 10_000),
      unstartedLength: fc.nat(100_000),
      blocked: fc.nat(60),
      longest: fc.nat(60).map((count) => () => count),
      overtaken: fc.nat(30),
      due: fc.constantFrom(0 as const, 1 as const),
      isSeeking: fc.boolean(),
      serial: fc.tuple(fc.constantFrom(0, 0.01, 5, 1_000), fc.nat(50)).map(([ms, messages]) => kept(ms, messages)),
    });
    const drawn = fc.record({
      visibilityTimeoutMs: fc.constantFrom(100, 1_000, 30_000),
      batchSize: fc.integer({ min: 1, max: 100 }),
      maxBuffered: fc.integer({ min: 1, max: 100 }),
      maxBufferedBytes: fc.constantFrom(1, 10_000, 1_000_000),
      maxPulls: fc.integer({ min: 1, max: 4 }),
      order: fc.constantFrom(undefined, { key: undefined, lookAhead: 0 }, { key: 'given', lookAhead: 10 }),
    });
    fc.assert(
      fc.property(work, state, drawn, fc.nat(30_000), (works, each, limits, now) => {
        const handlers = seen({ ...works, busy: Math.min(works.busy, works.count) });
        const asked = planPull(handlers, limits, each, now);
        expect(Number.isInteger(asked)).toBe(true);
        expect(asked).toBeGreaterThanOrEqual(0);
        expect(asked).toBeLessThanOrEqual(limits.batchSize);
        if (asked === 0) return;
        expect(asked + each.unstarted + each.asked).toBeLessThanOrEqual(unstartedBound(handlers, limits, each, now));
        expect(each.pullsUnderWay).toBeLessThan(each.lastWasFull ? 2 * limits.maxPulls : 1);
      }),
      { numRuns: 2_000 },
    );
  });

  it('always asks for something when a handler idles and nothing is held', () => {
    fc.assert(
      fc.property(
        fc.nat(30),
        fc.constantFrom(0, 1, 1_000, 60_000),
        fc.constantFrom(0, 20, 5_000),
        (finished, eachMs, roundTripMs) => {
          expect(planOf({ finished, eachMs }, { roundTripMs })).toBeGreaterThan(0);
        },
      ),
    );
  });
});

describe('UnseenHandlers', () => {
  const open = (maxWindow = 100): { running: Set<Lease>; handlers: UnseenHandlers } => {
    const running = new Set<Lease>();
    return { running, handlers: new UnseenHandlers(running, maxWindow, 10_000) };
  };

  it('starts with one, and feeds only who reads', () => {
    const { handlers, running } = open();
    expect([handlers.window, handlers.idle(), handlers.finished]).toEqual([1, 0, 0]);
    handlers.onReaders(3, 0);
    expect(handlers.idle()).toBe(1);
    running.add(started('a', 0));
    expect(handlers.idle()).toBe(0);
  });

  it.each([
    [4_999, 2],
    [5_000, 1],
    [5_001, 1],
  ])('after a settlement that took %i ms of a lease of 10 000 the window is %i', (durationMs, window) => {
    const { handlers } = open();
    handlers.observe(durationMs, durationMs);
    expect(handlers.window).toBe(window);
    expect(handlers.finished).toBe(1);
  });

  it('doubles from window to window, up to the most', () => {
    const { handlers } = open(6);
    const windows = [1, 1, 1, 1, 1, 1, 1].map((durationMs) => {
      handlers.observe(durationMs, 0);
      return handlers.window;
    });
    expect(windows).toEqual([2, 3, 4, 5, 6, 6, 6]);
  });

  it('halves once for all that were out together', () => {
    const { handlers } = open();
    for (let index = 0; index < 31; index += 1) handlers.observe(1, 0);
    expect(handlers.window).toBe(32);
    for (let index = 0; index < 10; index += 1) handlers.observe(6_000, 6_000);
    expect(handlers.window).toBe(16);
    handlers.observe(6_000, 11_999);
    expect(handlers.window).toBe(16);
    handlers.observe(6_000, 12_000);
    expect(handlers.window).toBe(8);
    for (let index = 3; index < 9; index += 1) handlers.observe(6_000, index * 6_000);
    expect(handlers.window).toBe(1);
  });

  it('prefetches for a stalled reader no more than for a slow one', () => {
    const { handlers } = open();
    for (let index = 0; index < 9; index += 1) handlers.observe(10, 0);
    for (let at = 0; at < 100; at += 10) {
      handlers.onReaders(1, at);
      handlers.onReaders(0, at);
    }
    const reading = handlers.startableWithin(1_000, 90);
    expect(handlers.startableWithin(1_000, 590)).toBe(2);
    expect(handlers.startableWithin(1_000, 1_091)).toBe(0);
    expect(reading).toBeGreaterThan(10);
    expect(handlers.consumedWithin(1_000, 590)).toBe(2);
    // Whoever waits is not stalled.
    handlers.onReaders(1, 600);
    expect(handlers.startableWithin(1_000, 5_000)).toBeGreaterThan(0);
  });

  it('counts no reading time where nobody asks', () => {
    const { handlers } = open();
    expect(handlers.consumedWithin(1_000, 0)).toBe(0);
    handlers.onReaders(Infinity, 0);
    handlers.observe(100, 0);
    expect(handlers.estimateMs).toBe(300);
    expect(handlers.startableWithin(1_000, 50_000)).toBe(6);
    expect(handlers.consumedWithin(1_000, 50_000)).toBe(20);
    expect(handlers.idle()).toBe(2);
  });
});
