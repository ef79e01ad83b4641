import { callWithin } from '../../contract/call-within.ts';
import type { Clock } from '../../contract/clock.ts';
import { QueueError } from '../../contract/errors.ts';
import type { CallOptions } from '../../contract/transport.ts';
import type { Action } from './action.ts';
import { copyCause, describeCause, type Redact } from './redact.ts';
import { type AnswerHeaders, readRetryAfter } from './retry-after.ts';
import { answerIn } from './thrown-answer.ts';

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
  /** Whether somebody has read the body, which is then not to be read again. @defaultValue `false` */
  readonly bodyUsed?: boolean;
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
 * @throws the signal's reason when aborted; QueueError `timeout`, `network`, or `bad-answer` for a redirect, and
 * `transport-failed` when somebody has read a success before, each with the status where there was one; RangeError when
 * `timeoutMs` is not a positive number
 */
export type SendHttp = (request: HttpRequest, options: CallOptions | undefined) => Promise<HttpAnswer>;

/** Gives back the function that sends requests: one attempt each, no redirect followed, no error with a request in it. */
export function createHttp({ fetch, clock, redact, headers }: HttpOptions): SendHttp {
  const now = () => clock.now();

  const exchange = async (
    { method, url, body }: HttpRequest,
    signal: AbortSignal,
    onSuccess: (answer: Success) => void,
  ): Promise<HttpAnswer> => {
    // A copy for each request, since a fetch of the user's may write to it.
    const init = { method, headers: new Headers(headers), redirect: 'manual', signal } as const;
    const response = await answerOf(() => fetch(url, body === undefined ? init : { ...init, body }));
    const { status, bodyUsed } = response;
    if (isOk(response)) onSuccess({ status, wasRead: bodyUsed === true });
    const text = await textOf(response);
    // Of a success nobody asks, and looking for it takes as long as anything here.
    const retryAfterMs = isOk(response) ? undefined : readRetryAfter(response.headers, now);
    return { status, text, retryAfterMs };
  };

  return async (request, options) => {
    const success: Success[] = [];
    try {
      const answer = await callWithin({
        action: request.action,
        clock,
        options,
        work: ({ signal }) => exchange(request, signal, (each) => success.push(each)),
        failureOf: (error) => networkFailure(request, error, redact),
      });
      if (isRedirect(answer)) throw redirectFailure(request, answer);
      return answer;
    } catch (error) {
      const [begun] = success;
      options?.signal?.throwIfAborted();
      throw begun !== undefined && error instanceof QueueError ? unreadFailure(begun, error) : error;
    }
  };
}

/** An answer of a success that has begun. */
interface Success {
  readonly status: number;
  readonly wasRead: boolean;
}

/** What a fetch gives, also when it throws it. */
async function answerOf(call: () => Promise<FetchAnswer>): Promise<FetchAnswer> {
  try {
    return await call();
  } catch (error) {
    const answer = answerIn(error);
    if (answer === undefined) throw error;
    return answer;
  }
}

/** Reads an answer. What is no success is known by its status, whether or not it can be read. */
async function textOf(response: FetchAnswer): Promise<string> {
  try {
    // A fetch of the user's may give anything.
    const said: unknown = await response.text();
    return typeof said === 'string' ? said : '';
  } catch (error) {
    if (isOk(response)) throw error;
    return '';
  }
}

/** The service said that it did what it was asked: nothing that comes afterwards is a reason to ask it again. */
function unreadFailure({ status, wasRead }: Success, cause: QueueError): QueueError {
  if (!wasRead) return new QueueError(cause.message, { code: cause.code, cause: cause.cause, status });
  const text = `${cause.message} Somebody has read the answer already: 'fetch' must leave it unread, or read a clone of it.`;
  return new QueueError(text, { code: 'transport-failed', cause, status });
}

// What a fetch throws may hold the request with its headers: only a copy of its texts goes on.
function networkFailure({ action, url }: HttpRequest, error: unknown, redact: Redact): QueueError {
  const cause = copyCause(error, redact);
  const { host } = new URL(url);
  return new QueueError(`Cannot ${action}: no answer from ${host}: ${describeCause(cause)}`, {
    // What the code names and the runtime lacks, no other try will find.
    code: error instanceof ReferenceError ? 'transport-failed' : 'network',
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
  return new QueueError(message, { code: 'bad-answer', status, inEnvelope: false });
}
