import type { AnswerHeaders } from './retry-after.ts';

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

/** Whether the service did what it was asked. */
export function isOk({ status }: Pick<FetchAnswer, 'status'>): boolean {
  return status >= 200 && status < 300;
}
