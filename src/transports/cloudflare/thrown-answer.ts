import type { AnswerHeaders } from './retry-after.ts';

/** An answer as HTTP clients have it in the errors that they throw for a status. */
interface Thrown {
  readonly response?: {
    readonly status?: unknown;
    readonly statusCode?: unknown;
    readonly headers?: unknown;
    readonly bodyUsed?: unknown;
    readonly text?: unknown;
    readonly data?: unknown;
    readonly body?: unknown;
  } | null;
  /** The body, where the client has read it. */
  readonly data?: unknown;
}

/** What of an answer is read. */
interface Answer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly bodyUsed?: boolean;
  text(): Promise<string>;
}

/**
 * The answer in an error of a `fetch` that throws for some statuses, as those made of ky, ofetch, axios and got do. They
 * may have read its body.
 */
export function answerIn(error: unknown): Answer | undefined {
  const { response, data } = (error ?? {}) as Thrown;
  if (typeof response !== 'object' || response === null) return undefined;
  const { status = response.statusCode, headers } = response;
  if (typeof status !== 'number') return undefined;
  if (typeof response.text === 'function' && response.bodyUsed !== true) return response as Answer;
  const body = data ?? response.data ?? response.body;
  const text = typeof body === 'string' ? body : (JSON.stringify(body) ?? '');
  return { status, headers: readable(headers), text: async () => text };
}

function readable(headers: unknown): AnswerHeaders {
  const given = (headers ?? {}) as Partial<AnswerHeaders> & Readonly<Record<string, unknown>>;
  if (typeof given.get === 'function') return given as AnswerHeaders;
  return { get: (name) => (typeof given[name] === 'string' ? given[name] : null) };
}
