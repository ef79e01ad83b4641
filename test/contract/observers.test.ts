import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/broker.ts';
import type { ObservedQueue, Observer, ProcessEnd } from '../../src/contract/observer.ts';
import { Observers } from '../../src/contract/observers.ts';

const queue: ObservedQueue = {
  name: 'jobs',
  origin: undefined,
  now: () => 1_000,
  metrics: () => Promise.reject(new Error('none')),
};
const facts = { messages: [], isBatch: false, isRun: true, receivedBodyOf: () => undefined } as const;
const counts = { acks: 1, retries: 0, abandoned: 0 };

function observe(...observers: Observer[]): Observers {
  return new Observers(observers, queue, new ManualClock());
}

describe('Observers', () => {
  it('tells each of the begin and the end, with the time', async () => {
    const clock = new ManualClock({ now: 1_000 });
    const seen: unknown[] = [];
    const watching = (name: string): Observer => ({
      process: (start) => {
        seen.push([name, start]);
        return { end: (end) => seen.push([name, end]) };
      },
    });
    const observers = new Observers([watching('a'), watching('b')], queue, clock);
    const ongoing = observers.begin('process', facts);
    await clock.advance(50);
    ongoing?.end(counts);
    const start = { ...facts, queue, at: 1_000 };
    const end = { ...counts, durationMs: 50 };
    expect(seen).toEqual([
      ['a', start],
      ['b', start],
      ['a', end],
      ['b', end],
    ]);
  });

  it('has nothing to end where nobody follows an operation', () => {
    expect(observe({ event: () => undefined }, { process: () => undefined }).begin('process', facts)).toBeUndefined();
  });

  it('does work in the context of all of them', () => {
    const seen: string[] = [];
    const around = (name: string): Observer => ({
      process: () => ({
        run(work) {
          seen.push(`> ${name}`);
          work();
          seen.push(`< ${name}`);
        },
        end: () => undefined,
      }),
    });
    const ongoing = observe(around('a'), { process: () => ({ end: () => undefined }) }, around('b')).begin(
      'process',
      facts,
    );
    expect(ongoing?.run(() => seen.push('work'))).toBe(3);
    expect(seen).toEqual(['> b', '> a', 'work', '< a', '< b']);
  });

  it('throws what the work throws, and tells no observer', () => {
    const failure = new Error('the work');
    let isCalm = false;
    const ongoing = observe({
      process: () => ({
        run(work) {
          work();
          isCalm = true;
        },
        end: () => undefined,
      }),
    }).begin('process', facts);
    expect(() =>
      ongoing?.run(() => {
        throw failure;
      }),
    ).toThrow(failure);
    expect(isCalm).toBe(true);
  });

  const misdeeds: Readonly<Record<string, (work: () => void) => unknown>> = {
    'throws before': () => {
      throw new Error('no');
    },
    'throws after': (work) => {
      work();
      throw new Error('no');
    },
    'never calls it': () => undefined,
    'calls it twice': (work) => {
      work();
      work();
    },
    'calls it later': (work) => Promise.resolve().then(work),
    'gives a promise that rejects': (work) => {
      work();
      return Promise.reject(new Error('no'));
    },
  };

  it.each(Object.keys(misdeeds))('does work once, beside an observer that %s', async (misdeed) => {
    let runs = 0;
    let others = 0;
    const wrong = {
      process: () => ({ run: (work: () => void) => misdeeds[misdeed]?.(work), end: () => undefined }),
    };
    const right: Observer = {
      process: () => ({
        run(work) {
          others += 1;
          work();
        },
        end: () => undefined,
      }),
    };
    for (const observers of [observe(wrong, right), observe(right, wrong)]) {
      const result = observers.begin('process', facts)?.run(() => (runs += 1));
      expect(result).toBe(runs);
    }
    await Promise.resolve();
    expect(runs).toBe(2);
    expect(others).toBe(2);
  });

  it('harms nobody with what an observer throws, or rejects with', async () => {
    const no = (): never => {
      throw new Error('no');
    };
    const ends: ProcessEnd[] = [];
    const right: Observer = { process: () => ({ end: (end) => void ends.push(end) }) };
    const wrong: Observer = { open: no, event: no, process: () => ({ end: no }) };
    const worse = { process: no, open: () => Promise.reject(new Error('no')) } as unknown as Observer;
    const observers = observe(wrong, worse, right);
    observers.tell((observer) => observer.open?.(queue));
    observers.begin('process', facts)?.end(counts);
    await new Promise(setImmediate);
    expect(ends).toHaveLength(1);
  });

  it('adds to a body what each of them adds, and throws what they throw', () => {
    const adding = (field: string): Observer => ({
      send: () => ({ inject: (body) => ({ ...(body as object), [field]: true }), end: () => undefined }),
    });
    const failing: Observer = {
      send: () => ({
        inject() {
          throw new TypeError('no');
        },
        end: () => undefined,
      }),
    };
    const start = { messages: 1, isBatch: false };
    expect(observe(adding('a'), adding('b')).begin('send', start)?.inject({})).toEqual({ a: true, b: true });
    expect(() => observe(failing).begin('send', start)?.inject({})).toThrow('no');
  });
});
