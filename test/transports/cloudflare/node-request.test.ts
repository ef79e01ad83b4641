import { once } from 'node:events';
import https from 'node:https';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { FetchInit } from '../../../src/transports/cloudflare/fetch.ts';
import { nodeRequest } from '../../../src/transports/cloudflare/node-request.ts';
import { answer, RawServer } from '../../contract-suites/raw-server.ts';
import { selfSigned } from '../../contract-suites/self-signed.ts';
import { describeWire } from '../../contract-suites/wire.ts';
import { listen } from '../../proxies/listen.ts';
import { countedSignal } from './counted-signal.ts';
import { rejection } from './fake-fetch.ts';

describeWire('node:http', nodeRequest);

const unhandled = vi.fn();
process.on('unhandledRejection', unhandled);
afterEach(() => {
  expect(unhandled).not.toHaveBeenCalled();
});

describe('nodeRequest()', () => {
  const ask = (url: string, init: Partial<FetchInit> = {}) =>
    nodeRequest(url, {
      method: 'POST',
      headers: new Headers(),
      body: '{}',
      redirect: 'manual',
      signal: new AbortController().signal,
      ...init,
    });
  const failure = (url: string) => rejection(ask(url).then((given) => given.text()));

  /** The server closes the connection that is kept, and the client does not look until the next request is under way. */
  const closeUnseen = async (server: RawServer): Promise<void> => {
    await (await ask(server.url)).text();
    await new Promise(setImmediate);
    const since = performance.now();
    vi.spyOn(performance, 'now').mockReturnValue(since + 1_000);
    server.sockets[0]!.destroy();
  };

  it('makes no error for a request that is answered, as each takes as long as some messages do', async () => {
    await using server = await RawServer.listen((socket) => socket.write(answer('x')));
    const onError = vi.fn();
    vi.stubGlobal(
      'Error',
      class extends Error {
        constructor(...given: ConstructorParameters<ErrorConstructor>) {
          super(...given);
          onError(...given);
        }
      },
    );
    for (let left = 3; left > 0; left -= 1) {
      expect(await (await ask(server.url)).text()).toBe('x');
      await new Promise(setImmediate);
    }
    vi.unstubAllGlobals();
    expect(server.requests).toHaveLength(3);
    expect(onError).not.toHaveBeenCalled();
  });

  it('makes a request again of which nothing was written, as the server had closed the connection', async () => {
    await using server = await RawServer.listen((socket) => socket.write(answer('x')));
    await closeUnseen(server);
    expect(await (await ask(server.url)).text()).toBe('x');
    expect(server.requests).toHaveLength(2);
    expect(server.sockets).toHaveLength(2);
  });

  it('is aborted while it looks', async () => {
    await using server = await RawServer.listen((socket) => socket.write(answer('x')));
    await closeUnseen(server);
    const { controller, signal, count } = countedSignal();
    const asked = rejection(ask(server.url, { signal }));
    controller.abort('enough');
    expect(await asked).toBe('enough');
    expect(count()).toBe(0);
    expect(server.requests).toHaveLength(1);
  });

  it('gives a connection up before the server does', async () => {
    await using server = await RawServer.listen((socket) => {
      socket.write(answer('x', { headers: 'keep-alive: timeout=1\r\n' }));
    });
    await (await ask(server.url)).text();
    await once(server.sockets[0]!, 'close');
    await (await ask(server.url)).text();
    expect(server.sockets).toHaveLength(2);
  });

  it.each<[string, (socket: Socket) => void]>([
    ['answered', (socket) => socket.write(answer('x'))],
    ['cut', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx')],
    ['not answered', (socket) => socket.end()],
  ])('leaves no listener behind when it is %s', async (_, handler) => {
    await using server = await RawServer.listen(handler);
    const { signal, count } = countedSignal();
    await ask(server.url, { signal }).then(
      (given) => given.text().catch(() => ''),
      () => '',
    );
    await new Promise(setImmediate);
    expect(count()).toBe(0);
  });

  it('may be answered by 100 before', async () => {
    await using server = await RawServer.listen((socket) => {
      socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      socket.write(answer('x'));
    });
    expect(await (await ask(server.url)).text()).toBe('x');
  });

  it('asks a server of this machine not to pack its answer', async () => {
    await using server = await RawServer.listen((socket) => socket.write(answer('x')));
    await ask(server.url);
    expect(server.requests[0]).toMatch(/^accept-encoding: identity\r$/im);
  });

  it('asks others to pack it', async () => {
    const request = vi.spyOn(https, 'request').mockImplementation(() => {
      throw new Error('enough');
    });
    await expect(ask('https://api.cloudflare.com/')).rejects.toThrow('enough');
    expect(request.mock.calls[0]?.[0]).toMatchObject({ headers: { 'accept-encoding': 'br, gzip' } });
  });

  it('reads long answers over TLS, on connections that are kept', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const texts = Array.from({ length: 20 }, (_, n) => `${n}`.padEnd(n * 17_000, n % 2 === 0 ? 'x' : 'é'));
    const server = https.createServer(selfSigned, (request, response) => {
      response.end(texts[Number(request.url?.slice(1))]);
    });
    const connected = vi.fn();
    server.on('secureConnection', connected);
    const port = await listen(server);
    for (let round = 0; round < 2; round += 1) {
      const asked = texts.map(async (_, n) => (await ask(`https://127.0.0.1:${port}/${n}`)).text());
      const given = await Promise.all(asked);
      expect(given.filter((each, index) => each !== texts[index])).toEqual([]);
      await new Promise(setImmediate);
    }
    expect(connected.mock.calls.length).toBeLessThan(2 * texts.length);
    server.closeAllConnections();
    server.close();
    vi.unstubAllEnvs();
  });

  it('reads no more than 64 MiB', async () => {
    await using server = await RawServer.listen((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      const some = Buffer.alloc(1 << 20, 'x');
      const write = (): void => {
        if (!socket.destroyed) socket.write(some, () => setImmediate(write));
      };
      write();
    });
    expect(await failure(server.url)).toMatchObject({ message: 'The answer is longer than 67108864 bytes' });
    await vi.waitFor(() => expect(server.sockets[0]!.destroyed).toBe(true));
  });

  it('unpacks no more than 64 MiB', async () => {
    const bytes = gzipSync(Buffer.alloc((64 << 20) + 1), { level: 1 });
    await using server = await RawServer.listen((socket) => {
      socket.write(answer(bytes, { headers: 'content-encoding: gzip\r\n' }));
    });
    expect(await failure(server.url)).toMatchObject({ code: 'ERR_BUFFER_TOO_LARGE' });
  });

  it('tells of a packing that it did not ask for', async () => {
    await using server = await RawServer.listen((socket) => {
      socket.write(answer('x', { headers: 'content-encoding: zstd\r\n' }));
    });
    const message = "The answer is packed as 'zstd', which was not asked for";
    expect(await failure(server.url)).toMatchObject({ message });
  });

  it('is not led to another protocol', async () => {
    await using server = await RawServer.listen((socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: foo\r\n\r\n');
    });
    expect(await failure(server.url)).toBeInstanceOf(Error);
  });
});
