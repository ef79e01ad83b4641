import type { FetchInit, Wire } from './fetch.ts';
import { wire as fetchWire } from './fetch-wire.ts';

/** The hosts that have answered. */
const answered = new Set<string>();

/**
 * What carries the requests on Deno: its `fetch`, which by itself makes a request again whose connection ended before the
 * answer, a POST, too. A push would arrive twice so, and the first answer of a pull be lost with its leases, with nobody to
 * know. It does not where the body can be read but once, as that of a Blob.
 */
export const wire: Wire = async (url, init) => {
  const { host } = new URL(url);
  const { body } = init;
  // A Blob that it has no permission to send keeps the process from ending; and what was never reached has no connection
  // that was kept.
  const isOnce = body !== undefined && answered.has(host);
  const answer = await fetchWire(url, isOnce ? ({ ...init, body: new Blob([body]) } as unknown as FetchInit) : init);
  answered.add(host);
  return answer;
};
