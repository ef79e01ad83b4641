/** A request as the API looks at it. The platform's `Request` is one; others cost a fraction of that to make. */
export interface ApiRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Pick<Headers, 'get'>;
  /** The body as bytes; `null` when there is none. */
  readonly body: ReadableStream<Uint8Array> | null;
  /** The body as text. Either this or `body` is read, once. */
  readonly text: () => Promise<string>;
}

/** What the API answers. */
export interface ApiAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Answers requests; rejects where the connection is to be lost. */
export type ApiHandler = (request: ApiRequest) => Promise<ApiAnswer>;

export function toResponse({ status, headers, text }: ApiAnswer): Response {
  return new Response(text, { status, headers });
}

export async function fromResponse(response: Response): Promise<ApiAnswer> {
  const { status, headers } = response;
  return { status, headers: Object.fromEntries(headers), text: await response.text() };
}
