import { QueueError } from '../../contract/errors.ts';
import type { Action } from './action.ts';
import type { HttpHook, HttpHookContext, HttpHooks } from './http-hooks.ts';
import { copyCause, describeCause, type Redact } from './redact.ts';

/** What ofetch is told with each request: repeating, judging and parsing are the library's. */
export const fixedOptions = { retry: false, ignoreResponseError: true, responseType: 'text' } as const;

/** What is for ofetch, and not for the fetch below it. */
export const ofetchOptions: ReadonlySet<string> = new Set(
  `retry ignoreResponseError responseType onRequest onRequestError onResponse onResponseError baseURL query params
   parseResponse retryDelay retryStatusCodes timeout`.split(/\s+/),
);

/** The hooks of one request: which of them runs, and what became of them. */
export class HookRun {
  /** Of a hook that threw. */
  failure: QueueError | undefined;
  #running: keyof HttpHooks | undefined;
  readonly #hooks: HttpHooks;
  readonly #action: Action;
  readonly #redact: Redact;

  constructor(hooks: HttpHooks, action: Action, redact: Redact) {
    this.#hooks = hooks;
    this.#action = action;
    this.#redact = redact;
  }

  /** The hooks as ofetch takes them. */
  forFetch(): Record<'onRequest' | 'onRequestError' | 'onResponse', (context: unknown) => Promise<void>> {
    return {
      onRequest: async (context) => {
        await this.#call('onRequest', context);
        Object.assign((context as HttpHookContext).options, fixedOptions, { parseResponse: undefined });
      },
      onRequestError: (context) => this.#call('onRequestError', context),
      onResponse: async (context) => {
        await this.#call('onResponse', context);
        // ofetch would call it itself, and throw the answer away.
        const { response } = context as HttpHookContext;
        if (response !== undefined && response.status >= 400) await this.#call('onResponseError', context);
      },
    };
  }

  /** The failure of the call, in words that tell of a hook that has not ended. */
  blame(failure: QueueError): QueueError {
    if (failure.code !== 'timeout' || this.#running === undefined) return failure;
    const message = `${failure.message} The hook 'http.${this.#running}' had not ended.`;
    return new QueueError(message, { code: failure.code });
  }

  async #call(name: keyof HttpHooks, context: unknown): Promise<void> {
    const hook = this.#hooks[name];
    const hooks: readonly HttpHook[] = hook === undefined ? [] : typeof hook === 'function' ? [hook] : hook;
    this.#running = name;
    try {
      for (const each of hooks) await each(context as HttpHookContext);
    } catch (error) {
      this.failure = this.#failureOf(name, error);
      throw this.failure;
    } finally {
      this.#running = undefined;
    }
  }

  #failureOf(name: keyof HttpHooks, error: unknown): QueueError {
    const cause = copyCause(error, this.#redact);
    const code = error instanceof QueueError ? error.code : 'transport-failed';
    const message = `Cannot ${this.#action}: the hook 'http.${name}' failed: ${describeCause(cause)}`;
    return new QueueError(message, { code, cause });
  }
}
