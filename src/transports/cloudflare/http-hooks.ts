import { rule } from '../../contract/check-options.ts';

/** What ofetch gives a hook. Holds the credential: see {@link HttpHooks}. */
export interface HttpHookContext {
  /** The address. May be replaced before the request. */
  request: string;
  /** The request, with its credential. */
  options: {
    method?: string;
    /** With the credential. May be changed before the request. */
    headers: Headers;
    /** JSON. */
    body?: string;
    [name: string]: unknown;
  };
  /** From `onResponse` on. `_data` is its text, and is read in its place where a hook replaces it by another. */
  response?: Response & { _data?: unknown };
  /** In `onRequestError`. */
  error?: Error;
}

/** Called for each request. What it gives back is waited for, and its value not looked at. */
export type HttpHook = { hook(context: HttpHookContext): unknown }['hook'];

/**
 * The hooks of ofetch, for each request that is made: to log, to trace, to count, to add headers.
 *
 * **A hook sees the request with its credential**, in `context.options.headers`: whatever writes down a context, or hands
 * it on, hands on the credential.
 *
 * Their time counts as the call's. A hook that throws fails the call with a `QueueError` of code `transport-failed`, which
 * ends what made it, unless it throws a `QueueError` of another code, such as `network` for what may pass. Messages whose
 * answer was lost to a hook come again when their leases end.
 *
 * Repeating, redirects, the time limit and the signal stay the library's, whatever a hook sets.
 *
 * @see https://github.com/unjs/ofetch#%EF%B8%8F-interceptors
 */
export interface HttpHooks {
  /** Before the request. @defaultValue none */
  readonly onRequest?: HttpHook | readonly HttpHook[];
  /** After a request that got no answer. @defaultValue none */
  readonly onRequestError?: HttpHook | readonly HttpHook[];
  /** After each answer, of whatever status, when its text is there. @defaultValue none */
  readonly onResponse?: HttpHook | readonly HttpHook[];
  /** After `onResponse`, where the status is 400 or more. @defaultValue none */
  readonly onResponseError?: HttpHook | readonly HttpHook[];
}

const names: readonly string[] = [
  'onRequest',
  'onRequestError',
  'onResponse',
  'onResponseError',
] satisfies (keyof HttpHooks)[];

/** Throws a `TypeError` unless the hooks are hooks, or left out. */
export function checkHooks(http: HttpHooks | undefined): void {
  if (http === undefined) return;
  if (typeof http !== 'object' || http === null) throw new TypeError(rule('open a queue', 'http', 'an object', http));
  for (const [name, hook] of Object.entries(http)) {
    if (!names.includes(name)) {
      throw new TypeError(rule('open a queue', 'http', `an object of ${names.join(', ')}`, name));
    }
    const hooks: readonly unknown[] = Array.isArray(hook) ? hook : [hook];
    if (hook !== undefined && !hooks.every((each) => typeof each === 'function')) {
      throw new TypeError(rule('open a queue', `http.${name}`, 'a function or a list of functions', hook));
    }
  }
}
