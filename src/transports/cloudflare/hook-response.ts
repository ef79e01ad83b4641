import type { FetchAnswer } from './fetch.ts';

/** What of the headers is known by name where they can't be listed. */
const knownHeaders = ['cf-ray', 'content-type', 'retry-after', 'retry-after-ms'];

/** An answer that was read as a `Response` of the standard, as hooks expect it. */
export function responseOf(answer: FetchAnswer, text: string): FetchAnswer {
  const { status } = answer;
  // What can't be a `Response`: the opaque answer that browsers make of a redirect.
  if (status < 200 || status > 599) return answer;
  const body = status === 204 || status === 205 || status === 304 ? null : text;
  return new Response(body, { status, headers: headersOf(answer) });
}

function headersOf({ headers }: FetchAnswer): Headers {
  if (Symbol.iterator in headers) return new Headers([...(headers as Headers)]);
  const known = knownHeaders.flatMap((name) => {
    const value = headers.get(name);
    return value === null ? [] : [[name, value] satisfies [string, string]];
  });
  return new Headers(known);
}
