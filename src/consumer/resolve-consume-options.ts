import { checkNames } from '../contract/check-names.ts';
import { checkFunction, checkInteger, checkNumber, checkOneOf, checkSignal, rule } from '../contract/check-options.ts';
import { limits } from '../contract/limits.ts';
import { withoutUndefined } from '../contract/without-undefined.ts';
import type { ConsumeOptions, ResolvedConsumeOptions } from './consume-options.ts';
import { resolveBreaker } from './handing-out/breaker-options.ts';
import { resolveRate } from './handing-out/start-rate.ts';
import { checkInvalidAction } from './intake/invalid-action.ts';

const defaults = {
  visibilityTimeoutMs: 30_000,
  maxVisibilityTimeoutMs: undefined,
  maxInFlight: 200,
  minInFlight: 1,
  maxBuffered: 1_000,
  maxBufferedBytes: 16_000_000,
  maxPulls: 4,
  batchSize: limits.batchMessages,
  settle: 'auto',
  maxRetries: 3,
  graceMs: undefined,
  breaker: undefined,
  rate: undefined,
  signal: undefined,
  onEvent: undefined,
  ordered: false,
  isolateSuspects: true,
  stopWhenEmpty: false,
  onInvalid: 'retry',
  maxIdleMs: 10_000,
} as const satisfies Record<keyof ConsumeOptions, unknown>;

/** How long a lease may grow to unless told otherwise: most work is shorter, and a crash hides its messages for no longer. */
const usualMaxVisibilityTimeoutMs = 3_600_000;

/** Below this a lease is over before its message can be worked on. */
const shortestLeaseMs = 100;

/**
 * Checks the options and fills in the defaults.
 *
 * @param how.settle - in place of what the options say, where that is not for the caller to choose
 * @param how.others - the names that the caller's own options have
 * @throws TypeError or RangeError that names the option, what it must be, and its value
 */
export function resolveConsumeOptions(
  options: ConsumeOptions = {},
  { settle, others = [] }: { readonly settle?: 'auto' | 'manual'; readonly others?: readonly string[] } = {},
): ResolvedConsumeOptions {
  checkNames('consume', options, { allowed: [...Object.keys(defaults), ...others] });
  const merged = { ...defaults, ...withoutUndefined(options), ...(settle && { settle }) };
  const check = (name: keyof ConsumeOptions, min: number, max: number): void =>
    checkInteger('consume', name, merged[name], [min, max]);
  check('visibilityTimeoutMs', shortestLeaseMs, limits.visibilityTimeoutMs);
  const { maxVisibilityTimeoutMs = Math.max(merged.visibilityTimeoutMs, usualMaxVisibilityTimeoutMs) } = merged;
  checkInteger('consume', 'maxVisibilityTimeoutMs', maxVisibilityTimeoutMs, [
    merged.visibilityTimeoutMs,
    limits.visibilityTimeoutMs,
  ]);
  check('maxInFlight', 1, Infinity);
  check('minInFlight', 1, Infinity);
  if (merged.minInFlight > merged.maxInFlight) {
    throw new RangeError(
      rule('consume', 'minInFlight', `at most 'maxInFlight', ${merged.maxInFlight}`, merged.minInFlight),
    );
  }
  check('maxBuffered', 1, Infinity);
  check('maxBufferedBytes', 1, Infinity);
  check('maxPulls', 1, Infinity);
  check('batchSize', 1, limits.batchMessages);
  check('maxRetries', 0, limits.retries);
  checkNumber('consume', 'maxIdleMs', merged.maxIdleMs, [250, Infinity]);
  checkOneOf('consume', 'settle', merged.settle, ['auto', 'manual']);
  checkOneOf('consume', 'ordered', merged.ordered, [true, false]);
  if (merged.ordered && merged.minInFlight > 1) {
    throw new TypeError(rule('consume', 'minInFlight', "1 with 'ordered'", merged.minInFlight));
  }
  checkOneOf('consume', 'isolateSuspects', merged.isolateSuspects, [true, false]);
  if (typeof merged.onInvalid !== 'function') checkInvalidAction('onInvalid', merged.onInvalid);
  if (merged.onEvent !== undefined) checkFunction('consume', 'onEvent', merged.onEvent);
  if (merged.graceMs !== undefined) checkNumber('consume', 'graceMs', merged.graceMs, [0, Infinity]);
  checkSignal('consume', merged.signal);
  const { stopWhenEmpty, ordered, ...rest } = merged;
  return {
    ...rest,
    // What gathers messages before it settles any would wait for others in vain.
    isolateSuspects: merged.isolateSuspects && merged.minInFlight === 1,
    maxVisibilityTimeoutMs,
    order: ordered ? { key: undefined, lookAhead: 0 } : undefined,
    rate: resolveRate(merged.rate, merged.settle),
    breaker: resolveBreaker(merged.breaker),
    emptyForMs: emptyForMs(stopWhenEmpty),
  };
}

function emptyForMs(stopWhenEmpty: unknown): number | undefined {
  if (stopWhenEmpty === false) return undefined;
  if (stopWhenEmpty === true) return 0;
  if (typeof stopWhenEmpty !== 'object' || stopWhenEmpty === null || !('forMs' in stopWhenEmpty)) {
    throw new TypeError(rule('consume', 'stopWhenEmpty', 'a boolean or { forMs }', stopWhenEmpty));
  }
  checkNames('consume', stopWhenEmpty, { allowed: ['forMs'], path: 'stopWhenEmpty' });
  const { forMs } = stopWhenEmpty;
  checkNumber('consume', 'stopWhenEmpty.forMs', forMs, [0, Infinity]);
  return forMs as number;
}
