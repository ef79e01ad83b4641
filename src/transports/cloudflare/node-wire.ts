import { copyWith } from '../../contract/copy-with.ts';
import { type FetchInit, headersClass, type Wire } from './fetch.ts';
import { isFetchConfigured } from './node-configured.ts';
import { nodeRequest } from './node-request.ts';
import { PlainHeaders } from './plain-headers.ts';

/**
 * What carries the requests on Node where nothing else is given: Node's own HTTP client, as its `fetch` spends twice the
 * time on moving answers through web streams. Whoever set up `fetch` to his needs has his requests made by it.
 */
export const wire: Wire = Object.assign(
  (url: string, init: FetchInit) =>
    isFetchConfigured() ? globalThis.fetch(url, platformInit(init)) : nodeRequest(url, init),
  { [headersClass]: PlainHeaders },
);

/** What strangers are called with. */
function platformInit(init: FetchInit): FetchInit {
  const headers: unknown = init.headers;
  return headers instanceof PlainHeaders ? copyWith(init, { headers: new Headers(headers.values) }) : init;
}
