import { checkInteger, checkOneOf, checkOptions } from '../contract/check-options.ts';
import { limits } from '../contract/limits.ts';
import type { SendOptions } from './send-options.ts';

/** Marks what `envelope()` and `forward()` make. Registered, so that two copies of the package agree. */
export const kind: unique symbol = Symbol.for('leasestream.kind');

/** A body with a content type or a delay of its own, for a sink. Made by {@link envelope}. */
export interface Envelope<Body = unknown> extends SendOptions {
  /** Tells it from a body. */
  readonly [kind]: 'envelope';
  /** What is pushed. */
  readonly body: Body;
}

/**
 * Wraps a body for `toWritable` and `toWritableStream`, to give it a content type or a delay, or to write one that the
 * stream itself would take for something else: `null`.
 *
 * Branded: a body that happens to have a field `body` is never taken for an envelope.
 *
 * @param body - a string, or anything that `JSON.stringify` can represent
 * @throws TypeError or RangeError that names the option, what it must be, and its value
 */
export function envelope<Body>(body: Body, options: SendOptions = {}): Envelope<Body> {
  checkOptions('wrap', options);
  const { contentType, delaySeconds } = options;
  if (contentType !== undefined) checkOneOf('wrap', 'contentType', contentType, ['text', 'json']);
  if (delaySeconds !== undefined) checkInteger('wrap', 'delaySeconds', delaySeconds, [0, limits.delaySeconds]);
  return {
    [kind]: 'envelope',
    body,
    ...(contentType === undefined ? {} : { contentType }),
    ...(delaySeconds === undefined ? {} : { delaySeconds }),
  };
}

/** Whether {@link envelope} made it. */
export function isEnvelope(value: unknown): value is Envelope {
  return kindOf(value) === 'envelope';
}

/** What made a value: `undefined` for a plain body. */
export function kindOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && kind in value ? value[kind] : undefined;
}
