import { callWithin } from '../../contract/call-within.ts';
import type { Clock } from '../../contract/clock.ts';
import { QueueError } from '../../contract/errors.ts';
import { abortStateOf } from '../../contract/lazy-controller.ts';
import type { CallOptions } from '../../contract/transport.ts';
import type { Wire } from './fetch.ts';
import { withHint } from './hints.ts';
import { HookRun } from './hook-run.ts';
import { type HttpAnswer, HttpExchange, type HttpRequest, type Success } from './http-exchange.ts';
import type { HttpHooks } from './http-hooks.ts';
import { copyCause, describeCause, type Redact } from './redact.ts';
import { codeOfThrown } from './thrown-code.ts';

export interface HttpOptions {
  readonly fetch: Wire;
  readonly clock: Clock;
  readonly redact: Redact;
  /** Sent with every request. Held by nothing that can be thrown. */
  readonly headers: Readonly<Record<string, string>>;
  /** Ends the message when there is no answer. @defaultValue nothing */
  readonly wayHint?: string | undefined;
  readonly hooks?: HttpHooks | undefined;
}

/**
 * Sends one request and reads its answer whole, of whatever status.
 *
 * @throws the signal's reason when aborted; QueueError `timeout`, `network` or what tells more of it, or `bad-answer` for a
 * redirect, and `transport-failed` when somebody has read a success before, each with the status where there was one; RangeError when
 * `timeoutMs` is not a positive number
 */
export type SendHttp = (request: HttpRequest, options: CallOptions | undefined) => Promise<HttpAnswer>;

/** Gives back the function that sends requests: one attempt each, no redirect followed, no error with a request in it. */
export function createHttp({ fetch, clock, redact, headers, wayHint, hooks }: HttpOptions): SendHttp {
  const now = () => clock.now();

  return async (request, options) => {
    const { action } = request;
    const exchange = new HttpExchange({ fetch, headers, hooks: hooks && new HookRun(hooks, action, redact) });
    try {
      const answer = await callWithin({
        action,
        clock,
        options,
        work: (controller) => exchange.run(request, controller, now),
        failureOf: (error) =>
          exchange.hooks?.failure ?? networkFailure(request, error, { redact, wayHint, address: exchange.address }),
      });
      if (isRedirect(answer)) throw redirectFailure(request, answer);
      return answer;
    } catch (error) {
      abortStateOf(options)?.throwIfAborted();
      if (!(error instanceof QueueError)) throw error;
      const failure = exchange.hooks?.blame(error) ?? error;
      throw exchange.success === undefined ? failure : unreadFailure(exchange.success, failure);
    }
  };
}

/** The service said that it did what it was asked: nothing that comes afterwards is a reason to ask it again. */
function unreadFailure({ status, wasRead }: Success, cause: QueueError): QueueError {
  if (!wasRead) return new QueueError(cause.message, { code: cause.code, cause: cause.cause, status });
  const text = `${cause.message} Somebody has read the answer already: 'fetch' must leave it unread, or read a clone of it.`;
  return new QueueError(text, { code: 'transport-failed', cause, status });
}

// What a fetch throws may hold the request with its headers: only a copy of its texts goes on.
function networkFailure(
  { action, url }: HttpRequest,
  error: unknown,
  { redact, wayHint, address }: Pick<HttpOptions, 'redact' | 'wayHint'> & Pick<HttpExchange, 'address'>,
): QueueError {
  const cause = copyCause(error, redact);
  const { host } = new URL(url);
  const message = `Cannot ${action}: no answer from ${host}: ${describeCause(cause)}`;
  return new QueueError(withHint(message, wayHint), { code: codeOfThrown(cause, address ?? url), cause });
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
