import { show } from '../../contract/check-options.ts';

type Handler = (request: Request) => Promise<Response>;

/**
 * Lets pages of the given origins read the answers, which browsers keep from those of all others.
 *
 * @param origins - as browsers send them: `https://app.example`, without a slash at the end
 * @throws TypeError when one is no origin
 */
export function allowOrigins(handler: Handler, origins: readonly string[]): Handler {
  if (!Array.isArray(origins) || !origins.every(isOrigin)) {
    const rule = "must be a list of origins, as 'https://app.example'";
    throw new TypeError(`Cannot listen as 'allowedOrigins' ${rule}: current value is ${show(origins)}`);
  }
  return async (request) => {
    const origin = request.headers.get('origin');
    if (origin === null || !origins.includes(origin)) return handler(request);
    const asked = request.headers.get('access-control-request-headers');
    const isPreflight = request.method === 'OPTIONS' && request.headers.has('access-control-request-method');
    const answer = isPreflight ? new Response(null, { status: 204 }) : await handler(request);
    const headers = new Headers(answer.headers);
    headers.set('access-control-allow-origin', origin);
    headers.append('vary', 'origin');
    headers.set('access-control-expose-headers', 'retry-after');
    if (isPreflight) {
      headers.set('access-control-allow-methods', 'GET, POST');
      headers.set('access-control-allow-headers', asked ?? '');
      headers.set('access-control-allow-private-network', 'true');
      headers.set('access-control-max-age', '600');
    }
    return new Response(isPreflight ? null : await answer.text(), { status: answer.status, headers });
  };
}

function isOrigin(value: unknown): boolean {
  return typeof value === 'string' && URL.canParse(value) && new URL(value).origin === value;
}
