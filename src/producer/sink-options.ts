import { checkNames } from '../contract/check-names.ts';
import { checkFunction, checkNumber, rule } from '../contract/check-options.ts';

/** How a sink pushes what is written to it. */
export interface SinkOptions {
  /**
   * Keeps the order of what is written: one request at a time, in place of four.
   *
   * @defaultValue false
   */
  readonly ordered?: boolean;
  /**
   * Takes an item that can't be pushed, because of its body, its delay or its size, or as it forwards a message for the
   * second time, and why; the stream goes on. Called once for each such item, in their order, without waiting for the
   * answer for the one before. Without it, the rest is pushed, and then the stream errors naming the first of them. When it
   * throws or rejects, the stream errors with that. The messages of a group are retried after it, unless it settled them.
   *
   * @defaultValue none: the stream errors
   */
  readonly onRejected?: (item: unknown, error: unknown) => unknown;
  /**
   * How long the first item of a request waits for company, in milliseconds, 0 to 1 000.
   *
   * @defaultValue 5
   */
  readonly lingerMs?: number;
}

/** {@link SinkOptions} with every default filled in. */
export interface ResolvedSinkOptions {
  readonly ordered: boolean;
  readonly onRejected: SinkOptions['onRejected'] | undefined;
  readonly lingerMs: number;
}

/** @throws TypeError or RangeError that names the option, what it must be, and its value */
export function resolveSinkOptions(options: SinkOptions = {}): ResolvedSinkOptions {
  checkNames('write', options, { allowed: ['ordered', 'onRejected', 'lingerMs'] });
  const { ordered = false, onRejected, lingerMs = 5 } = options;
  if (typeof ordered !== 'boolean') throw new TypeError(rule('write', 'ordered', 'a boolean', ordered));
  if (onRejected !== undefined) checkFunction('write', 'onRejected', onRejected);
  checkNumber('write', 'lingerMs', lingerMs, [0, 1_000]);
  return { ordered, onRejected, lingerMs };
}
