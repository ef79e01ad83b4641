import { isLoopback } from '../broker/http/loopback.ts';

/** Answers of the guard and the page, in the form of the API. */
export function refuse(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Response {
  const body = { success: false, errors: [{ code: 10_000, message }], messages: [], result: null };
  return Response.json(body, { status, headers });
}

/**
 * Refuses what a page of somebody else makes a browser send: a `Host` that is not this machine (DNS rebinding), an
 * `Origin` that is not this server (CSRF). For a server on a loopback address, whose token may be the one that everybody
 * knows. Clients that are no browsers send no `Origin`, and the host that they were given.
 *
 * @param allowedOrigins - whose pages may call all the same
 * @returns `undefined` for a request that may pass
 */
export function guardLoopback(request: Request, allowedOrigins: readonly string[] = []): Response | undefined {
  const host = request.headers.get('host') ?? '';
  if (!isLoopback(host.replace(/:\d+$/, ''))) return refuse(403, 'The Host header does not name this machine');
  const origin = request.headers.get('origin');
  const isOwn = origin === null || origin === `http://${host}` || allowedOrigins.includes(origin);
  if (!isOwn) return refuse(403, 'The Origin header names another site');
  return undefined;
}
