import { createFetch } from 'ofetch';
import { type FetchAnswer, type FetchInit, headersClass, isOk, type Wire } from './fetch.ts';
import { fixedOptions, type HookRun, ofetchOptions } from './hook-run.ts';
import type { LazyController } from '../../contract/lazy-controller.ts';
import type { Action } from './action.ts';
import { responseOf } from './hook-response.ts';
import { readRetryAfter } from './retry-after.ts';
import { answerIn } from './thrown-answer.ts';

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

export interface ExchangeOptions {
  readonly fetch: Wire;
  readonly headers: Readonly<Record<string, string>>;
  readonly hooks: HookRun | undefined;
}

/** An answer of a success that has begun. */
export interface Success {
  readonly status: number;
  readonly wasRead: boolean;
}

/** One request and its answer, over ofetch: of which the hooks are used, and neither repeating, parsing nor throwing. */
export class HttpExchange {
  /** Whether the service has begun to say that it did what it was asked. */
  success: Success | undefined;
  /** What the fetch was called for: a hook may have changed it. */
  address: string | undefined;
  readonly hooks: HookRun | undefined;
  readonly #fetch: Wire;
  readonly #headers: Readonly<Record<string, string>>;
  #thrown: { readonly error: unknown } | undefined;

  constructor({ fetch, headers, hooks }: ExchangeOptions) {
    this.#fetch = fetch;
    this.#headers = headers;
    this.hooks = hooks;
  }

  /** @throws what the fetch threw, or the failure of a hook */
  async run({ method, url, body }: HttpRequest, controller: LazyController, now: () => number): Promise<HttpAnswer> {
    // Hooks are shown what they know. Where it is not told, ofetch looks up the global one.
    const Headers = this.hooks === undefined ? this.#fetch[headersClass] : undefined;
    // A hook may have made it a URL.
    const fetch = (address: unknown, options: FetchInit) => this.#ask(String(address), options, controller);
    // The types of ofetch need those of a browser; of what it is given, it uses no more than this.
    const ofetch = createFetch({ fetch, Headers, AbortController } as never);
    const options = {
      method,
      headers: this.#headers,
      ...fixedOptions,
      ...(body !== undefined && { body }),
      ...(this.hooks && { signal: controller.signal, ...this.hooks.forFetch() }),
    };
    try {
      const answer = (await ofetch.raw(url, options as never)) as Answer;
      const text = typeof answer._data === 'string' ? answer._data : await textOf(answer);
      // Of a success nobody asks, and looking for it takes as long as anything here.
      const retryAfterMs = isOk(answer) ? undefined : readRetryAfter(answer.headers, now);
      return { status: answer.status, text, retryAfterMs };
    } catch (error) {
      throw this.#thrown === undefined || this.hooks?.failure !== undefined ? error : this.#thrown.error;
    }
  }

  async #ask(url: string, options: FetchInit, controller: LazyController): Promise<Answer> {
    try {
      // A hook may have taken longer than the call.
      controller.throwIfAborted();
      this.address = url;
      const init = this.hooks === undefined ? plainInit(options, controller) : initOf(options, controller.signal);
      // Not as a method of anything, which a browser's own takes amiss.
      const fetch = this.#fetch;
      const answer = await answerOf(() => fetch(url, init));
      const { status, bodyUsed } = answer;
      if (isOk(answer)) this.success = { status, wasRead: bodyUsed === true };
      if (this.hooks !== undefined) return responseOf(answer, await textOf(answer));
      // Without a body as far as ofetch sees: it is read here, and an answer of the user's is written to by nobody.
      return { status, headers: answer.headers, text: () => answer.text() };
    } catch (error) {
      this.#thrown = { error };
      throw error;
    }
  }
}

type Answer = FetchAnswer & { readonly _data?: unknown };

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

/** What the fetch is called with: the request alone, where nobody can have added to it. */
function plainInit({ method, headers, body }: FetchInit, controller: LazyController): FetchInit {
  return controller.addTo({ method, headers, redirect: 'manual', ...(body !== undefined && { body }) });
}

/** What the fetch is called with: the request, what hooks added to it, and nothing of what is for ofetch alone. */
function initOf(options: FetchInit, signal: AbortSignal): FetchInit {
  const given = Object.entries(options).filter(([name]) => !ofetchOptions.has(name));
  return { ...(Object.fromEntries(given) as unknown as FetchInit), redirect: 'manual', signal };
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
