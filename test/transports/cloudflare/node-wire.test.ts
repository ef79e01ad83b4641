import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import http from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { wire } from '../../../src/transports/cloudflare/node-wire.ts';
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
