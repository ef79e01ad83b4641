import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/broker.ts';
import { passTurns } from '../../../src/broker/time/event-loop-turn.ts';

// As the clock takes them: `setImmediate` may be a turn ahead of a message.
const turn = (): Promise<void> => passTurns(1);

describe('ManualClock', () => {
  it('starts where it is told and stands still', async () => {
    const clock = new ManualClock({ now: 5_000 });
    await turn();
    expect([clock.now(), clock.monotonic()]).toEqual([5_000, 0]);
  });

  it.each([[NaN], [Infinity]])('refuses to start at %s', (now) => {
    expect(() => new ManualClock({ now })).toThrow(RangeError);
  });

  it('refuses a start that is no number', () => {
    // @ts-expect-error a string is no time
    expect(() => new ManualClock({ now: '1' })).toThrow(
      new TypeError(
        "Cannot make a clock as 'now' must be a number in -8640000000000000..8640000000000000: current value is '1'",
      ),
    );
  });
});

describe('advance()', () => {
  it('fires timers in the order of time, then of their setting, at their own time', async () => {
    const clock = new ManualClock({ now: 0 });
    const fired: [string, number, number][] = [];
    const note = (name: string) => () => void fired.push([name, clock.now(), clock.monotonic()]);
    clock.setTimer(note('c'), 20);
    clock.setTimer(note('a'), 10);
    clock.setTimer(note('b'), 10);
    clock.setTimer(note('d'), 20.5);
    clock.setTimer(note('e'), 31);
    await clock.advance(30);
    expect(fired).toEqual([
      ['a', 10, 10],
      ['b', 10, 10],
      ['c', 20, 20],
      ['d', 20.5, 20.5],
    ]);
    expect([clock.now(), clock.pendingTimers]).toEqual([30, 1]);
  });

  it('fires a timer exactly at its time, not before', async () => {
    const clock = new ManualClock();
    let fired = false;
    clock.setTimer(() => (fired = true), 10);
    await clock.advance(9);
    expect(fired).toBe(false);
    await clock.advance(1);
    expect(fired).toBe(true);
  });

  it('fires timers that a timer sets, and those that promise work before it sets', async () => {
    const clock = new ManualClock({ now: 0 });
    const fired: number[] = [];
    const run = async (): Promise<void> => {
      for (let step = 0; step < 4; step += 1) {
        await turn();
        await new Promise<void>((resolve) => clock.setTimer(resolve, 10));
        fired.push(clock.now());
      }
    };
    const done = run();
    await clock.advance(40);
    await done;
    expect(fired).toEqual([10, 20, 30, 40]);
  });

  it('gives each timer a turn of its own', async () => {
    const clock = new ManualClock();
    const log: string[] = [];
    clock.setTimer(() => {
      log.push('first');
      void Promise.resolve().then(() => log.push('what it caused'));
    }, 1);
    clock.setTimer(() => log.push('second'), 1);
    await clock.advance(1);
    expect(log).toEqual(['first', 'what it caused', 'second']);
  });

  it('runs calls that overlap one after the other', async () => {
    const clock = new ManualClock({ now: 0 });
    const fired: number[] = [];
    clock.setTimer(() => fired.push(clock.now()), 10);
    clock.setTimer(() => fired.push(clock.now()), 15);
    await Promise.all([clock.advance(10), clock.advance(5)]);
    expect(fired).toEqual([10, 15]);
    expect(clock.now()).toBe(15);
  });

  it('rejects with what a callback throws, and can be called again', async () => {
    const clock = new ManualClock({ now: 0 });
    clock.setTimer(() => {
      throw new Error('broken');
    }, 5);
    await expect(clock.advance(10)).rejects.toThrow('broken');
    expect(clock.now()).toBe(5);
    await clock.advance(5);
    expect(clock.now()).toBe(10);
  });

  it('refuses to go back', () => {
    expect(() => new ManualClock().advance(-1)).toThrow(RangeError);
  });
});

describe('setTimer()', () => {
  it('fires a timer without delay in the next turn of the event loop, by itself', async () => {
    const clock = new ManualClock();
    const log: string[] = [];
    clock.setTimer(() => log.push('timer'), 0);
    await Promise.resolve();
    expect(log).toEqual([]);
    await turn();
    expect(log).toEqual(['timer']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('fires it once, whether by itself or by advance()', async () => {
    const clock = new ManualClock();
    let count = 0;
    clock.setTimer(() => (count += 1), 0);
    await clock.advance(0);
    await turn();
    expect(count).toBe(1);
  });

  it('forgets a cancelled timer, one without delay too', async () => {
    const clock = new ManualClock();
    let count = 0;
    const timers = [0, 5].map((delayMs) => clock.setTimer(() => (count += 1), delayMs));
    for (const timer of timers) timer.cancel();
    for (const timer of timers) timer.cancel();
    await clock.advance(10);
    expect([count, clock.pendingTimers]).toEqual([0, 0]);
  });

  it('counts the timers that would keep a process alive', () => {
    const clock = new ManualClock();
    const timer = clock.setTimer(() => undefined, 1);
    clock.setTimer(() => undefined, 2).unref();
    expect([clock.pendingTimers, clock.refedTimers]).toEqual([2, 1]);
    timer.unref();
    expect(clock.refedTimers).toBe(0);
    timer.ref();
    expect(clock.refedTimers).toBe(1);
    timer.cancel();
    expect([clock.pendingTimers, clock.refedTimers]).toEqual([1, 0]);
  });

  it.each([[-1], [NaN]])('refuses a delay of %s', (delayMs) => {
    expect(() => new ManualClock().setTimer(() => undefined, delayMs)).toThrow(RangeError);
  });

  it('holds a hundred thousand timers without effort', async () => {
    const clock = new ManualClock();
    const timers = Array.from({ length: 100_000 }, (_, index) => clock.setTimer(() => undefined, 1 + (index % 977)));
    for (const timer of timers.slice(5)) timer.cancel();
    expect(clock.pendingTimers).toBe(5);
    await clock.advance(1_000);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('suspend() and jump()', () => {
  it('move the wall clock alone', async () => {
    const clock = new ManualClock({ now: 0 });
    let fired = false;
    clock.setTimer(() => (fired = true), 10);
    clock.suspend(60_000);
    expect([clock.now(), clock.monotonic()]).toEqual([60_000, 0]);
    clock.jump(-100_000);
    expect([clock.now(), clock.monotonic()]).toEqual([-40_000, 0]);
    await clock.advance(9);
    expect(fired).toBe(false);
    await clock.advance(1);
    expect([fired, clock.now(), clock.monotonic()]).toEqual([true, -39_990, 10]);
  });

  it('refuse what is no step', () => {
    const clock = new ManualClock();
    expect(() => clock.suspend(-1)).toThrow(RangeError);
    expect(() => clock.jump(NaN)).toThrow(RangeError);
  });
});

describe('block()', () => {
  it('moves both clocks at once, and fires no timer before it is over', async () => {
    const clock = new ManualClock({ now: 0 });
    const fired: string[] = [];
    const note = (name: string) => () => void fired.push(`${name} at ${clock.now()}`);
    clock.setTimer(note('b'), 20);
    clock.setTimer(note('a'), 10);
    clock.setTimer(note('c'), 61);
    clock.block(60);
    expect([clock.now(), clock.monotonic(), fired]).toEqual([60, 60, []]);
    await clock.advance(0);
    expect(fired).toEqual(['a at 60', 'b at 60']);
    await clock.advance(1);
    expect(fired).toEqual(['a at 60', 'b at 60', 'c at 61']);
  });

  it('lets what became due fire one after the other, each in a turn of its own', async () => {
    const clock = new ManualClock({ now: 0 });
    const log: string[] = [];
    clock.setTimer(() => {
      clock.block(300);
      log.push(`blocked until ${clock.now()}`);
      void Promise.resolve().then(() => log.push('what it caused'));
    }, 10);
    for (const delayMs of [200, 100]) {
      clock.setTimer(() => {
        log.push(`${delayMs} at ${clock.now()}`);
        void Promise.resolve().then(() => log.push(`what ${delayMs} caused`));
      }, delayMs);
    }
    await clock.advance(1_000);
    expect(log).toEqual([
      'blocked until 310',
      'what it caused',
      '100 at 310',
      'what 100 caused',
      '200 at 310',
      'what 200 caused',
    ]);
    expect([clock.now(), clock.monotonic()]).toEqual([1_000, 1_000]);
  });

  it('in an advance() that it outlasts, moves no time back and fires what became due', async () => {
    const clock = new ManualClock({ now: 0 });
    const fired: number[] = [];
    clock.setTimer(() => void Promise.resolve().then(() => clock.block(300)), 10);
    clock.setTimer(() => fired.push(clock.now()), 200);
    clock.setTimer(() => fired.push(clock.now()), 311);
    await clock.advance(20);
    expect([clock.now(), fired]).toEqual([310, [310]]);
    await clock.advance(5);
    expect([clock.now(), fired]).toEqual([315, [310, 311]]);
  });

  it('in runUntil(), lets a promise wait for it', async () => {
    const clock = new ManualClock({ now: 0 });
    const done = new Promise<number>((resolve) => {
      clock.setTimer(() => clock.block(50), 1);
      clock.setTimer(() => clock.block(50), 2);
      clock.setTimer(() => resolve(clock.monotonic()), 30);
    });
    await expect(clock.runUntil(done)).resolves.toBe(101);
  });

  it('does not hang where a timer keeps the loop for longer than it waits', async () => {
    const clock = new ManualClock();
    let count = 0;
    const busy = (): void => {
      count += 1;
      if (count < 1_000) clock.setTimer(busy, 1);
      clock.block(2);
    };
    clock.setTimer(busy, 1);
    await clock.advance(10);
    expect(clock.monotonic()).toBe(2_001);
  });

  it.each([[-1], [NaN], [Infinity]])('refuses to keep the loop for %s ms', (ms) => {
    expect(() => new ManualClock().block(ms)).toThrow(RangeError);
  });
});

describe('runUntil()', () => {
  const later = (clock: ManualClock, delayMs: number): Promise<string> =>
    new Promise((resolve) => clock.setTimer(() => resolve('done'), delayMs));

  it('moves to the timer that settles the promise, and no further', async () => {
    const clock = new ManualClock({ now: 0 });
    const other = later(clock, 500);
    await expect(clock.runUntil(later(clock, 300))).resolves.toBe('done');
    expect(clock.now()).toBe(300);
    await clock.advance(200);
    await other;
  });

  it('does not move for a promise that is settled', async () => {
    const clock = new ManualClock({ now: 0 });
    void later(clock, 1);
    await expect(clock.runUntil(Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(clock.now()).toBe(0);
  });

  it('rejects when no timer is left that could settle it', async () => {
    const clock = new ManualClock();
    await expect(clock.runUntil(new Promise(() => undefined))).rejects.toThrow('Cannot run on');
    await expect(clock.runUntil(later(clock, 11), { withinMs: 10 })).rejects.toThrow('none of 1 timers is due in time');
  });
});
