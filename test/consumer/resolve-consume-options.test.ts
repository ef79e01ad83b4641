import { describe, expect, it } from 'vitest';
import type { ConsumeOptions } from '../../src/consumer/consume-options.ts';
import { resolveConsumeOptions } from '../../src/consumer/resolve-consume-options.ts';

const integers: ReadonlyArray<[keyof ConsumeOptions, number, number]> = [
  ['visibilityTimeoutMs', 100, 43_200_000],
  ['maxVisibilityTimeoutMs', 30_000, 43_200_000],
  ['maxInFlight', 1, Infinity],
  ['maxBuffered', 1, Infinity],
  ['maxBufferedBytes', 1, Infinity],
  ['maxPulls', 1, Infinity],
  ['batchSize', 1, 100],
  ['maxRetries', 0, 100],
];

const resolve = (name: string, value: unknown) => (): unknown => resolveConsumeOptions({ [name]: value });

describe('resolveConsumeOptions()', () => {
  it('fills in every default', () => {
    expect(resolveConsumeOptions()).toEqual({
      visibilityTimeoutMs: 30_000,
      maxVisibilityTimeoutMs: 3_600_000,
      maxInFlight: 200,
      minInFlight: 1,
      maxBuffered: 1_000,
      maxBufferedBytes: 16_000_000,
      maxPulls: 4,
      batchSize: 100,
      settle: 'auto',
      maxRetries: 3,
      breaker: { failures: 100, maxProbeMs: 30_000 },
      isolateSuspects: true,
      signal: undefined,
      emptyForMs: undefined,
      onInvalid: 'retry',
      onEvent: undefined,
      maxIdleMs: 10_000,
    });
  });

  it('lets leases grow to an hour, to no less than they are, and takes the least for the most', () => {
    const mostOf = (options: ConsumeOptions): number => resolveConsumeOptions(options).maxVisibilityTimeoutMs;
    expect(mostOf({ visibilityTimeoutMs: 7_200_000 })).toBe(7_200_000);
    expect(mostOf({ visibilityTimeoutMs: 40_000, maxVisibilityTimeoutMs: 40_000 })).toBe(40_000);
    expect(resolve('maxVisibilityTimeoutMs', 29_999)).toThrow(RangeError);
  });

  it('isolates no suspects where messages are gathered before any is settled', () => {
    expect(resolveConsumeOptions({ minInFlight: 2 }).isolateSuspects).toBe(false);
    expect(resolveConsumeOptions({ isolateSuspects: false }).isolateSuspects).toBe(false);
  });

  it('takes undefined for an option that was not given', () => {
    const names = [
      ...integers.map(([name]) => name),
      'rate',
      'settle',
      'isolateSuspects',
      'signal',
      'stopWhenEmpty',
      'onInvalid',
      'onEvent',
      'maxIdleMs',
    ];
    expect(resolveConsumeOptions(Object.fromEntries(names.map((name) => [name, undefined])))).toEqual(
      resolveConsumeOptions(),
    );
  });

  it('takes a rate of whole numbers, and names what of it is wrong', () => {
    const rate = { limit: 1, perMs: 86_400_000 };
    expect(resolveConsumeOptions({ rate }).rate).toEqual({ ...rate, atOnce: 1 });
    const bad = (value: unknown) => resolve('rate', value);
    const must = (name: string, of: string): string =>
      `Cannot consume as 'rate${name}' must be ${of}: current value is`;
    expect(bad(50)).toThrow(new TypeError(`${must('', 'an object')} 50`));
    expect(bad(null)).toThrow(new TypeError(`${must('', 'an object')} null`));
    expect(bad({ perMs: 1 })).toThrow(new TypeError(`${must('.limit', 'an integer of 1 or more')} undefined`));
    for (const wrong of [0, -1, 1.5, Number.NaN, Infinity]) {
      expect(bad({ limit: wrong, perMs: 1 })).toThrow(RangeError);
      expect(bad({ limit: 1, perMs: wrong })).toThrow(RangeError);
    }
    expect(bad({ limit: 1, perMs: '1' })).toThrow(new TypeError(`${must('.perMs', 'an integer of 1 or more')} '1'`));
  });

  it('refuses a rate where messages are settled by hand', () => {
    const rate = { limit: 1, perMs: 1 };
    const refused = new TypeError(
      "Cannot consume as 'rate' must be left out where messages are settled by hand, as nobody can see when work starts: " +
        'current value is of type Object',
    );
    expect(() => resolveConsumeOptions({ rate, settle: 'manual' })).toThrow(refused);
    expect(() => resolveConsumeOptions({ rate }, { settle: 'manual' })).toThrow(refused);
  });

  describe.each(integers)('%s', (name, min, max) => {
    const must = `an integer ${max === Infinity ? `of ${min} or more` : `in ${min}..${max}`}`;
    const message = (shown: string): string => `Cannot consume as '${name}' must be ${must}: current value is ${shown}`;

    it.each([min, min + 1, ...(max === Infinity ? [] : [max - 1, max])])('takes %i', (value) => {
      expect(resolveConsumeOptions({ [name]: value })).toHaveProperty(name, value);
    });

    it.each([min - 1, -1, 1_000.5, Number.NaN, -Infinity, ...(max === Infinity ? [Infinity] : [max + 1, Infinity])])(
      'refuses %d with a RangeError',
      (value) => {
        if (value >= min && value <= max && Number.isInteger(value)) return;
        expect(resolve(name, value)).toThrow(new RangeError(message(String(value))));
      },
    );

    it.each([
      ['1', "'1'"],
      [null, 'null'],
      [{}, 'of type Object'],
      [true, 'true'],
      [10n, '10'],
    ])('refuses %s with a TypeError', (value, shown) => {
      expect(resolve(name, value)).toThrow(new TypeError(message(shown)));
    });
  });

  it.each<[string, unknown, Error]>([
    ['ordered', 1, new TypeError("'ordered' must be one of true, false: current value is 1")],
    ['maxIdleMs', 249.9, new RangeError("'maxIdleMs' must be a number of 250 or more: current value is 249.9")],
    ['maxIdleMs', '250', new TypeError("'maxIdleMs' must be a number of 250 or more: current value is '250'")],
    ['settle', 'automatic', new TypeError("'settle' must be one of 'auto', 'manual': current value is 'automatic'")],
    ['isolateSuspects', 1, new TypeError("'isolateSuspects' must be one of true, false: current value is 1")],
    ['settle', null, new TypeError("'settle' must be one of 'auto', 'manual': current value is null")],
    ['onInvalid', 'drop', new TypeError("'onInvalid' must be one of 'retry', 'ack', 'throw': current value is 'drop'")],
    ['onEvent', {}, new TypeError("'onEvent' must be a function: current value is of type Object")],
    ['signal', null, new TypeError("'signal' must be an AbortSignal: current value is null")],
    ['signal', {}, new TypeError("'signal' must be an AbortSignal: current value is of type Object")],
    ['stopWhenEmpty', 1, new TypeError("'stopWhenEmpty' must be a boolean or { forMs }: current value is 1")],
    [
      'stopWhenEmpty',
      {},
      new TypeError("'stopWhenEmpty' must be a boolean or { forMs }: current value is of type Object"),
    ],
    ['stopWhenEmpty', null, new TypeError("'stopWhenEmpty' must be a boolean or { forMs }: current value is null")],
    [
      'stopWhenEmpty',
      { forMs: -1 },
      new RangeError("'stopWhenEmpty.forMs' must be a number of 0 or more: current value is -1"),
    ],
    [
      'stopWhenEmpty',
      { forMs: '1' },
      new TypeError("'stopWhenEmpty.forMs' must be a number of 0 or more: current value is '1'"),
    ],
  ])('refuses %s: %o', (name, value, { message, constructor }) => {
    expect(resolve(name, value)).toThrow(`Cannot consume as ${message}`);
    expect(resolve(name, value)).toThrow(constructor);
  });

  it.each([
    [false, undefined],
    [true, 0],
    [{ forMs: 0 }, 0],
    [{ forMs: 1.5 }, 1.5],
  ])('takes stopWhenEmpty: %o', (stopWhenEmpty, emptyForMs) => {
    expect(resolveConsumeOptions({ stopWhenEmpty })).toMatchObject({ emptyForMs });
  });
});
