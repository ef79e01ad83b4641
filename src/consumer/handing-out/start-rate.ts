import { checkNames } from '../../contract/check-names.ts';
import { checkInteger, rule } from '../../contract/check-options.ts';
import type { BatchRate, StartRate } from '../../lease/rate-limit.ts';

/**
 * Checks a rate that was given as an option.
 *
 * @param settle - how messages are settled
 * @throws TypeError or RangeError that names the option, what it must be, and its value
 */
export function resolveRate(rate: StartRate | undefined, settle: 'auto' | 'manual'): BatchRate | undefined {
  if (rate === undefined) return undefined;
  if (settle === 'manual') {
    throw new TypeError(
      rule('consume', 'rate', 'left out where messages are settled by hand, as nobody can see when work starts', rate),
    );
  }
  checkNames('consume', rate, { allowed: ['limit', 'perMs'], path: 'rate' });
  const { limit, perMs } = rate;
  checkInteger('consume', 'rate.limit', limit, [1, Infinity]);
  checkInteger('consume', 'rate.perMs', perMs, [1, Infinity]);
  return { limit, perMs, atOnce: 1 };
}
