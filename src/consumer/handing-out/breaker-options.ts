import { checkNames } from '../../contract/check-names.ts';
import { checkInteger, checkNumber, rule } from '../../contract/check-options.ts';
import type { BreakerBounds } from '../../lease/breaker.ts';

/**
 * When a breaker opens, and how often it probes.
 *
 * - A failure is work that fails: a handler of `process` or `processBatches` that rejects, throws or has had its time, an inner
 *   of `settleMap` that errors, a sink that could not push. A batch is one, a `retry()` by hand a fifth, and `deadLetter()` is
 *   neither a failure nor a success.
 * - It takes a row of failures, which any success ends, that can't be chance by what usually succeeds: of messages on their
 *   first attempt, and of others. Messages that have failed while others succeeded do not count.
 * - A message of `process`, `processBatches` or `settleMap` that fails as a probe is kept while its lease lasts, up to
 *   `maxVisibilityTimeoutMs`, and handed out again as a later probe: the same delivery, with the same `attempts` and a body
 *   decoded anew. At most ten are, and fewer where the queue has others to try. After a crash they come again when these leases end.
 * - With `key` or `ordered` none is kept, since those after it wait for it: there each probe costs its message an attempt.
 */
export interface BreakerOptions {
  /**
   * How many failures in a row open it, 1 or more; where nothing has succeeded for 2 s, about a tenth of them. Where few
   * messages succeed usually, more are needed.
   *
   * @defaultValue 100
   */
  readonly failures?: number;
  /**
   * The longest wait between two probes, in milliseconds, 1 or more. The first is 1 s or less.
   *
   * @defaultValue 30 000
   */
  readonly maxProbeMs?: number;
}

/**
 * Checks the options of a breaker and fills in the defaults; `undefined` for none.
 *
 * @throws TypeError or RangeError that names the option, what it must be, and its value
 */
export function resolveBreaker(breaker: unknown = {}): BreakerBounds | undefined {
  if (breaker === false) return undefined;
  if (typeof breaker !== 'object' || breaker === null) {
    throw new TypeError(rule('consume', 'breaker', 'false or { failures, maxProbeMs }', breaker));
  }
  checkNames('consume', breaker, { allowed: ['failures', 'maxProbeMs'], path: 'breaker' });
  const { failures = 100, maxProbeMs = 30_000 }: BreakerOptions = breaker;
  checkInteger('consume', 'breaker.failures', failures, [1, Infinity]);
  checkNumber('consume', 'breaker.maxProbeMs', maxProbeMs, [1, Infinity]);
  return { failures, maxProbeMs };
}
