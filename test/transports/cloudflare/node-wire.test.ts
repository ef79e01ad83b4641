import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import http from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createCloudflareTransport } from '../../../src/cloudflare.ts';
import { headersClass } from '../../../src/transports/cloudflare/fetch.ts';
import { wire } from '../../../src/transports/cloudflare/node-wire.ts';
import { PlainHeaders } from '../../../src/transports/cloudflare/plain-headers.ts';
import { answer, RawServer } from '../../contract-suites/raw-server.ts';

let server: RawServer;

beforeAll(async () => {
  server = await RawServer.listen((socket) => socket.write(answer('x')));
});

afterAll(() => server[Symbol.asyncDispose]());

/** By what a request comes. */
async function means(): Promise<'fetch' | 'node:http'> {
  const { signal } = new AbortController();
  await (await wire(server.url, { method: 'GET', headers: new Headers(), redirect: 'manual', signal })).text();
  return /^sec-fetch-mode: /m.test(server.requests.at(-1) ?? '') ? 'fetch' : 'node:http';
}

describe('wire()', () => {
  afterEach(async () => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    expect(await means()).toBe('node:http');
  });

  it('goes by node:http, also when fetch has been used by somebody', async () => {
    expect(await means()).toBe('node:http');
    await (await fetch(server.url)).text();
    expect(await means()).toBe('node:http');
  });

  it('goes by a fetch that was put in the place of the own one', async () => {
    const own = globalThis.fetch;
    const replaced = vi.fn<typeof fetch>((...request) => own(...request));
    vi.stubGlobal('fetch', replaced);
    expect(await means()).toBe('fetch');
    expect(replaced).toHaveBeenCalledOnce();
  });

  it('goes by a fetch that was wrapped by whoever makes it look like the own one', async () => {
    const own = globalThis.fetch;
    const wrapped: typeof fetch = (...request) => own(...request);
    const { toString } = Function.prototype;
    vi.spyOn(Function.prototype, 'toString').mockImplementation(function text(this: unknown) {
      return toString.call(this === wrapped ? own : (this as () => void));
    });
    vi.stubGlobal('fetch', wrapped);
    expect(await means()).toBe('fetch');
  });

  it('goes by fetch while somebody listens to its requests', async () => {
    const onRequest = vi.fn();
    subscribe('undici:request:create', onRequest);
    expect(await means()).toBe('fetch');
    unsubscribe('undici:request:create', onRequest);
    expect(onRequest).toHaveBeenCalledOnce();
  });

  it('is seen by what is put in the place of http.request', async () => {
    const request = vi.spyOn(http, 'request');
    await means();
    expect(request).toHaveBeenCalledOnce();
  });
});

describe('the headers of the wire', () => {
  const pull = (options: object = {}) =>
    createCloudflareTransport({ accountId: 'a', queueId: 'q', apiToken: 'secret', baseUrl: server.url, ...options })
      .pull({})
      .catch(() => undefined);
  const expected = {
    accept: 'application/json',
    authorization: 'Bearer secret',
    'content-type': 'application/json',
  };

  afterEach(() => vi.unstubAllGlobals());

  it('are plain where nobody else sees them', async () => {
    expect(wire[headersClass]).toBe(PlainHeaders);
    const makeHeaders = vi.fn();
    vi.stubGlobal(
      'Headers',
      class extends Headers {
        constructor(...init: ConstructorParameters<typeof Headers>) {
          super(...init);
          makeHeaders();
        }
      },
    );
    await pull();
    expect(makeHeaders).not.toHaveBeenCalled();
    for (const [name, value] of Object.entries(expected))
      expect(server.requests.at(-1)).toMatch(new RegExp(`^${name}: ${value}\r$`, 'm'));
  });

  it.each(['that was put in the place of the own one', 'of the user'])('are whole for a fetch %s', async (whose) => {
    const fetch = vi.fn((_url: string, _init: RequestInit) => Promise.resolve(new Response('{}')));
    if (whose === 'of the user') await pull({ fetch });
    else {
      vi.stubGlobal('fetch', fetch);
      await pull();
    }
    expect(fetch).toHaveBeenCalledOnce();
    const [, init] = fetch.mock.calls[0] ?? [];
    expect(init).toMatchObject({ method: 'POST', body: '{}', redirect: 'manual', signal: expect.any(AbortSignal) });
    expect(init?.headers).toBeInstanceOf(Headers);
    expect(Object.fromEntries(init?.headers as Headers)).toEqual(expected);
  });

  it('are whole for a hook', async () => {
    const seen: unknown[] = [];
    await pull({
      http: { onRequest: ({ options }: { options: { headers: unknown } }) => void seen.push(options.headers) },
    });
    expect(seen).toEqual([expect.any(Headers)]);
    expect(Object.fromEntries(seen[0] as Headers)).toEqual(expected);
  });
});
