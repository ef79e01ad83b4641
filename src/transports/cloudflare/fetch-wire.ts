import type { Wire } from './fetch.ts';

/** What carries the requests where nothing else is given: the platform's `fetch`. */
// Looked up late, so that what is put in its place afterwards, by a test or a tracer, is used.
export const wire: Wire = (url, init) => {
  const { fetch } = globalThis as Partial<typeof globalThis>;
  if (fetch === undefined) throw new ReferenceError("there is no fetch here: give openQueue() a 'fetch'");
  return fetch(url, init);
};
