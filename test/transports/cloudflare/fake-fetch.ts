import { createCloudflareTransport } from '../../../src/transports/cloudflare/transport.ts';
import type { CloudflareTransportOptions } from '../../../src/transports/cloudflare/options.ts';
import type { QueueTransport } from '../../../src/contract/transport.ts';

export const token = 'secret-token-123';
export const accountId = '023e105f4ecef8ad9ca31a8372d0c353';
export const queueId = '123e105f4ecef8ad9ca31a8372d0c353';

export interface SentRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: string | undefined;
  readonly redirect: string | undefined;
}

/** A `fetch` that answers what it is told to, notes what it was asked, and listens to its signal as the real one does. */
export function fakeFetch(answer: (request: SentRequest, signal: AbortSignal) => Response | Promise<Response>) {
  const sent: SentRequest[] = [];
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const request: SentRequest = {
      url,
      method: init.method ?? 'GET',
      headers: new Headers(init.headers),
      body: init.body as string | undefined,
      redirect: init.redirect,
    };
    sent.push(request);
    const { signal } = init;
    if (!signal) throw new TypeError('no signal was given');
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
    return await Promise.race([aborted, answer(request, signal)]);
  };
  return { fetch, sent };
}

/** An answer of the service. */
export function ok(result: unknown): Response {
  return Response.json({ success: true, errors: [], messages: [], result });
}

export function openTransport(options: Partial<CloudflareTransportOptions>): QueueTransport {
  return createCloudflareTransport({ accountId, queueId, apiToken: token, ...options });
}

/** What a call rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not reject');
}
