import { type Context, propagation as propagators, type SpanContext, trace } from '@opentelemetry/api';

import { encodeBody } from '../contract/body.ts';
import { rule, show } from '../contract/check-options.ts';
import type { BodyPropagation, Carrier } from './opentelemetry-options.ts';

/** Those that {@link inField} made: what they give can be pushed where the body can. */
const ready = new WeakSet<BodyPropagation>();

/**
 * Carries trace contexts in a field of JSON objects: of those that a literal or `JSON.parse()` makes. Other bodies, and those
 * that have the field already, are sent as they are. A schema on the other side has to let the field pass.
 *
 * @param field - its name, such as `'_trace'`
 * @throws TypeError when that is not a string, or empty
 */
export function inField(field: string): BodyPropagation {
  if (typeof field !== 'string' || field === '')
    throw new TypeError(rule('carry trace contexts', 'field', 'a string that is not empty', field));
  const pair: BodyPropagation = {
    inject: (body, carrier) => (isPlain(body) && !(field in body) ? { ...body, [field]: carrier } : body),
    extract: (body) => (isPlain(body) && Object.hasOwn(body, field) ? (body[field] as Carrier) : undefined),
  };
  ready.add(pair);
  return pair;
}

function isPlain(body: unknown): body is Readonly<Record<string, unknown>> {
  if (typeof body !== 'object' || body === null) return false;
  const prototype: unknown = Object.getPrototypeOf(body);
  return (
    (prototype === Object.prototype || prototype === null) &&
    typeof (body as { toJSON?: unknown }).toJSON !== 'function'
  );
}

/** Gives the body with a context in it. @throws TypeError that names what of the options is at fault */
export function injectContext(pair: BodyPropagation, body: unknown, context: Context): unknown {
  const carrier = carrierOf(context);
  if (Object.keys(carrier).length === 0) return body;
  if (ready.has(pair)) return pair.inject(body, carrier);
  let injected: unknown;
  try {
    injected = pair.inject(body, carrier);
  } catch (cause) {
    throw new TypeError(`Cannot send as 'propagation.inject' failed: ${wordsOf(cause)}`, { cause });
  }
  try {
    if (injected !== body) encodeBody(injected);
  } catch (cause) {
    throw new TypeError(`Cannot send what 'propagation.inject' gave: ${wordsOf(cause)}`, { cause });
  }
  return injected;
}

/** Empty where a propagator fails: that must not keep a message from being sent. */
function carrierOf(context: Context): Carrier {
  const carrier: Record<string, string> = {};
  try {
    propagators.inject(context, carrier);
    return carrier;
  } catch {
    return {};
  }
}

function wordsOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : show(thrown);
}

/** The context that a body carries, laid over another; `undefined` where it carries none that can be read. */
export function extractContext(
  pair: BodyPropagation | undefined,
  body: unknown,
  over: Context,
): { readonly context: Context; readonly span: SpanContext } | undefined {
  if (pair === undefined) return undefined;
  try {
    const carrier = pair.extract(body);
    if (typeof carrier !== 'object' || carrier === null) return undefined;
    const context = propagators.extract(trace.deleteSpan(over), carrier);
    const span = trace.getSpanContext(context);
    return span === undefined ? undefined : { context, span };
  } catch {
    return undefined;
  }
}
