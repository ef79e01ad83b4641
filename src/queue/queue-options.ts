import type { Decode } from '../consumer/intake/decode.ts';
import { checkNames } from '../contract/check-names.ts';
import { checkFunction, checkInteger, checkOneOf, rule } from '../contract/check-options.ts';
import type { Clock } from '../contract/clock.ts';
import type { Observer } from '../contract/observer.ts';
import type { Schema } from '../contract/schema.ts';
import type { QueueTransport } from '../contract/transport.ts';
import type { RequestLimit } from '../producer/token-bucket.ts';
import { type CloudflareTransportOptions, connectionOptions } from '../transports/cloudflare/options.ts';

/** What a queue handle knows beside its connection. */
export interface HandleOptions<Body> {
  /**
   * What `batch.queue` says, and what messages call the queue.
   *
   * @defaultValue the queue's id, or `'queue'` with a transport
   */
  readonly queueName?: string;
  /** Judges and types the bodies: any Standard Schema, from zod, valibot, arktype and others. @defaultValue none */
  readonly schema?: Schema<Body>;
  /**
   * How bodies are decoded; a schema judges what comes of it. Where it can't be done, `onInvalid` is asked.
   *
   * - `'raw'`: not at all: the text of `text` and `json`, the bytes of `bytes` and `v8`, as `message.raw`
   * - `'text'`: the text of `text` and of `json`, to the last digit
   * - `'json'`: as JSON, also what was pushed as `text`
   * - a function, which is called once for each delivery and gives the body, or throws. `decodeV8` of `leasestream/node` is one
   *
   * @defaultValue by the content type: a string, a JSON value, a `Uint8Array`; `v8` can't be decoded
   */
  readonly decode?: Decode;
  /**
   * The time as the handle sees it. Where it fails, or gives what is no number or no timer, the machine's goes on.
   *
   * @defaultValue the machine's
   */
  readonly clock?: Clock;
  /**
   * Numbers from 0 up to but not including 1, for jitter. In place of anything else, `Math.random` gives one.
   *
   * @defaultValue `Math.random`
   */
  readonly random?: () => number;
  /**
   * Is told what is done, while it is done; several are told in turn. `leasestream/opentelemetry` and
   * `leasestream/diagnostics` give some.
   *
   * @defaultValue none
   */
  readonly observer?: Observer | readonly Observer[];
  /**
   * How many push requests may be made, `false` for any number. Cloudflare counts pushes against a limit of the whole
   * account, and blocks everything of the user for five minutes beyond it.
   *
   * Handles of one account (by `baseUrl` and `accountId`) share the limit within a process when they are given the same
   * one, or none, and the same clock. A handle that is given another limit, or a `transport`, is counted by itself. Where
   * several processes push, give each of them its part.
   *
   * @defaultValue 1 200 in 300 000 ms on Cloudflare's own address, `false` elsewhere
   * @see https://developers.cloudflare.com/fundamentals/api/reference/limits/
   */
  readonly pushLimit?: RequestLimit | false;
}

/** A queue by its connection, or by a transport that stands for it. */
export type QueueOptions<Body = unknown> = HandleOptions<Body> &
  (
    | (CloudflareTransportOptions & { readonly transport?: undefined })
    | { readonly transport: QueueTransport; readonly queueId?: undefined }
  );

const accountLimit: RequestLimit = { requests: 1_200, perMs: 300_000 };

const observerMethods = ['open', 'consume', 'send', 'receive', 'process', 'settle', 'event'] as const satisfies Array<
  keyof Observer
>;

const clockMethods = ['now', 'monotonic', 'setTimer'] as const satisfies Array<keyof Clock>;

const optionNames: readonly string[] = [
  ...([
    'queueName',
    'schema',
    'decode',
    'clock',
    'random',
    'pushLimit',
    'observer',
  ] satisfies (keyof HandleOptions<unknown>)[]),
  ...connectionOptions,
  'transport',
];

/** Checks what the transport's factory does not. */
export function checkHandleOptions(
  options: HandleOptions<unknown> & { readonly transport?: QueueTransport | undefined },
): void {
  checkNames('open a queue', options, { allowed: optionNames });
  const { queueName, schema, decode, clock, random, pushLimit, transport, observer } = options;
  if (queueName !== undefined && typeof queueName !== 'string') {
    throw new TypeError(rule('open a queue', 'queueName', 'a string', queueName));
  }
  if (random !== undefined) checkFunction('open a queue', 'random', random);
  if (schema !== undefined && typeof schema?.['~standard']?.validate !== 'function') {
    throw new TypeError(rule('open a queue', 'schema', 'a Standard Schema', schema));
  }
  if (decode !== undefined && typeof decode !== 'function') {
    checkOneOf('open a queue', 'decode', decode, ['raw', 'text', 'json']);
  }
  if (clock !== undefined && !clockMethods.every((name) => typeof clock?.[name] === 'function')) {
    throw new TypeError(rule('open a queue', 'clock', 'a Clock', clock));
  }
  if (observer !== undefined && ![observer].flat().every(isObserver)) {
    throw new TypeError(rule('open a queue', 'observer', 'an Observer, or several', observer));
  }
  if (transport !== undefined && typeof transport?.pull !== 'function') {
    throw new TypeError(rule('open a queue', 'transport', 'a QueueTransport', transport));
  }
  if (pushLimit === undefined || pushLimit === false) return;
  checkInteger('open a queue', 'pushLimit.requests', pushLimit.requests, [1, Infinity]);
  checkInteger('open a queue', 'pushLimit.perMs', pushLimit.perMs, [1, Infinity]);
}

/** Whether it has one method of an observer, and none that is something else. */
function isObserver(value: Observer | null | undefined): boolean {
  const methods = observerMethods.map((name) => value?.[name]).filter((method) => method !== undefined);
  return methods.length > 0 && methods.every((method) => typeof method === 'function');
}

/** The limit that holds for the pushes of a handle. */
export function pushLimitOf(
  pushLimit: RequestLimit | false | undefined,
  baseUrl: string | undefined,
): RequestLimit | undefined {
  if (pushLimit !== undefined) return pushLimit === false ? undefined : pushLimit;
  return baseUrl !== undefined && new URL(baseUrl).hostname === 'api.cloudflare.com' ? accountLimit : undefined;
}
