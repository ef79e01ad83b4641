import type { AnswerHeaders } from './retry-after.ts';

/** What a {@link Fetch} is called with. */
export interface FetchInit {
  /** `GET` or `POST`. */
  readonly method: string;
  /** With the credential. */
  readonly headers: Headers;
  /** JSON, with `POST`. */
  readonly body?: string;
  /** No redirect is followed. */
  readonly redirect: 'manual';
  /** Ends the request when it aborts. */
  readonly signal: AbortSignal;
}

/** The part of `Response` that is read. */
export interface FetchAnswer {
  /** The HTTP status. */
  readonly status: number;
  /** Its headers, of which few are read. */
  readonly headers: AnswerHeaders;
  /** Whether somebody has read the body, which is then not to be read again. @defaultValue `false` */
  readonly bodyUsed?: boolean;
  /** Reads the body. Called once. */
  text(): Promise<string>;
}

/** The part of the standard `fetch` that is used; `globalThis.fetch` is one. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchAnswer>;

/** What makes headers of names and values: `Headers`, or less where no more than a wire of the library's looks at them. */
export type HeadersClass = new (values: Record<string, string>) => unknown;

/** Names what a wire takes headers as. A symbol, since functions of strangers have properties of their own. */
export const headersClass: unique symbol = Symbol('headersClass');

/** A {@link Fetch}, which may be one of the library's own. */
export interface Wire extends Fetch {
  /** What it takes headers as. @defaultValue `Headers` */
  readonly [headersClass]?: HeadersClass;
}

/** Whether the service did what it was asked. */
export function isOk({ status }: Pick<FetchAnswer, 'status'>): boolean {
  return status >= 200 && status < 300;
}
