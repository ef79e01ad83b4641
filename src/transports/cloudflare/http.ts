import { callWithin } from '../../contract/call-within.ts';
import type { Clock } from '../../contract/clock.ts';
import { QueueError } from '../../contract/errors.ts';
import type { CallOptions } from '../../contract/transport.ts';
import type { Action } from './action.ts';
import { copyCause, describeCause, type Redact } from './redact.ts';
import { type AnswerHeaders, readRetryAfter } from './retry-after.ts';

/** What a {@link Fetch} is called with. */
export interface FetchInit {
  readonly method: string;
  readonly headers: Headers;
  readonly body?: string;
  readonly redirect: 'manual';
  readonly signal: AbortSignal;
}

/** The part of `Response` that is read. */
export interface FetchAnswer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  text(): Promise<string>;
}

/** The part of the standard `fetch` that is used; `globalThis.fetch` is one. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchAnswer>;

export interface HttpOptions {
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly redact: Redact;
  /** Sent with every request. Held by nothing that can be thrown. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface HttpRequest {
  readonly action: Action;
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly body?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
  readonly retryAfterMs: number | undefined;
}

/**
 * Sends one request and reads its answer whole, of whatever status.
 *
 * @throws the signal's reason when aborted; QueueError `timeout`, `network`, or `bad-answer` for a redirect;
 * RangeError when `timeoutMs` is not a positive number
 */
export type SendHttp = (request: HttpRequest, options: CallOptions | undefined) => Promise<HttpAnswer>;

/** Gives back the function that sends requests: one attempt each, no redirect followed, no error with a request in it. */
export function createHttp({ fetch, clock, redact, headers }: HttpOptions): SendHttp {
  const now = () => clock.now();

  const exchange = async ({ method, url, body }: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> => {
    // A copy for each request, since a fetch of the user's may write to it.
    const init = { method, headers: new Headers(headers), redirect: 'manual', signal } as const;
    const response = await fetch(url, body === undefined ? init : { ...init, body });
    // A fetch of the user's may give anything.
    const said: unknown = await response.text();
    const text = String(said);
    const { status } = response;
    // Of a success nobody asks, and looking for it takes as long as anything here.
    const retryAfterMs = isOk(response) ? undefined : readRetryAfter(response.headers, now);
    return { status, text, retryAfterMs };
  };

  return async (request, options) => {
    const answer = await callWithin({
      action: request.action,
      clock,
      options,
      work: ({ signal }) => exchange(request, signal),
      failureOf: (error) => networkFailure(request, error, redact),
    });
    if (isRedirect(answer)) throw redirectFailure(request, answer);
    return answer;
  };
}

// What a fetch throws may hold the request with its headers: only a copy of its texts goes on.
function networkFailure({ action, url }: HttpRequest, error: unknown, redact: Redact): QueueError {
  const cause = copyCause(error, redact);
  const { host } = new URL(url);
  return new QueueError(`Cannot ${action}: no answer from ${host}: ${describeCause(cause)}`, {
    code: 'network',
    cause,
  });
}

/** Whether the service did what it was asked. */
export function isOk({ status }: Pick<HttpAnswer, 'status'>): boolean {
  return status >= 200 && status < 300;
}

// 0 is what browsers make of it.
function isRedirect({ status }: HttpAnswer): boolean {
  return status === 0 || (status >= 300 && status < 400);
}

function redirectFailure({ action, url }: HttpRequest, { status }: HttpAnswer): QueueError {
  const { host } = new URL(url);
  const message = `Cannot ${action}: ${host} answered with a redirect, which is not followed, as that would hand on the credential. Check 'baseUrl'.`;
  return new QueueError(message, { code: 'bad-answer', status });
}
