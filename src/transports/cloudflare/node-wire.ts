import type { Fetch } from './fetch.ts';
import { isFetchConfigured } from './node-configured.ts';
import { nodeRequest } from './node-request.ts';

/**
 * What carries the requests on Node where nothing else is given: Node's own HTTP client, as its `fetch` spends twice the
 * time on moving answers through web streams. Whoever set up `fetch` to his needs has his requests made by it.
 */
export const wire: Fetch = (url, init) => (isFetchConfigured() ? globalThis.fetch(url, init) : nodeRequest(url, init));
