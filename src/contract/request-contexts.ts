/**
 * Whether the runtime runs each request in a context of its own, as Workers do: whatever one request waits for, a timer, a
 * socket or a promise, ends with it, and another that waits for the same is torn down. Looked at late, for a global that is
 * put there.
 *
 * @see https://developers.cloudflare.com/workers/observability/errors/#cannot-perform-io-on-behalf-of-a-different-request
 */
export function hasRequestContexts(): boolean {
  return 'WebSocketPair' in globalThis || 'EdgeRuntime' in globalThis;
}
