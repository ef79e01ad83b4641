import dns from 'node:dns';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import type { Fetch, FetchAnswer, FetchInit } from '../../src/transports/cloudflare/fetch.ts';
import { listen } from '../proxies/listen.ts';
import { countedSignal } from '../transports/cloudflare/counted-signal.ts';
import { rejection } from '../transports/cloudflare/fake-fetch.ts';
import { answer, RawServer, writeInTurns } from './raw-server.ts';
import { selfSigned } from './self-signed.ts';

const text = '{"grüße":"🎉"}';

/** Runs a wire against servers that do well and ill. */
export function describeWire(name: string, wire: Fetch): void {
  const ask = (url: string, init: Partial<FetchInit> = {}): Promise<FetchAnswer> =>
    wire(url, {
      method: 'POST',
      headers: new Headers({ 'content-type': 'application/json', authorization: 'Bearer secret' }),
      body: text,
      redirect: 'manual',
      signal: new AbortController().signal,
      ...init,
    });
  /** What it rejects with, be it for its head or for its body. */
  const failure = async (url: string, init: Partial<FetchInit> = {}): Promise<unknown> =>
    rejection(ask(url, init).then((given) => given.text()));

  describe(`a request over ${name}`, () => {
    it('is sent as it is given', async () => {
      await using server = await RawServer.listen((socket) => socket.write(answer('')));
      await ask(`${server.url}accounts/a?b=c`);
      const [request = ''] = server.requests;
      expect(request).toMatch(/^POST \/accounts\/a\?b=c HTTP\/1\.1\r\n/);
      expect(request).toMatch(/^authorization: Bearer secret\r$/im);
      expect(request).toMatch(/^content-type: application\/json\r$/im);
      expect(request).toMatch(new RegExp(`^host: 127.0.0.1:${server.port}\r$`, 'im'));
      expect(Buffer.from(request, 'latin1').toString().endsWith(`\r\n\r\n${text}`)).toBe(true);
    });

    it('has no body when none is given', async () => {
      await using server = await RawServer.listen((socket) => socket.write(answer('x')));
      const { signal } = new AbortController();
      const given = await wire(server.url, { method: 'GET', headers: new Headers(), redirect: 'manual', signal });
      expect(await given.text()).toBe('x');
      expect(server.requests[0]).toMatch(/^GET .*\r\n\r\n$/s);
    });

    it('goes over a connection that another had', async () => {
      await using server = await RawServer.listen((socket) => socket.write(answer('x')));
      for (let n = 0; n < 3; n += 1) {
        await (await ask(server.url)).text();
        await turn();
      }
      expect(server.sockets).toHaveLength(1);
    });

    it('goes out beside others', async () => {
      const waiting: Socket[] = [];
      await using server = await RawServer.listen((socket) => {
        if (waiting.push(socket) === 20) for (const each of waiting) each.write(answer('x'));
      });
      const texts = await Promise.all(Array.from({ length: 20 }, async () => (await ask(server.url)).text()));
      expect(texts).toEqual(Array.from({ length: 20 }, () => 'x'));
    });

    it.each(['127.0.0.1', '::1'])('reaches localhost where it listens at %s alone', async (host) => {
      await using server = await RawServer.listen((socket) => socket.write(answer('x')), { host });
      vi.spyOn(dns, 'lookup').mockImplementation(bothFamilies as typeof dns.lookup);
      expect(await (await ask(`http://localhost:${server.port}/`)).text()).toBe('x');
    });

    it('reaches an IPv6 address', async () => {
      await using server = await RawServer.listen((socket) => socket.write(answer('x')), { host: '::1' });
      expect(await (await ask(`http://[::1]:${server.port}/`)).text()).toBe('x');
    });

    it('takes another connection when the server has closed the one that was kept', async () => {
      await using server = await RawServer.listen((socket) => socket.write(answer('x')));
      await (await ask(server.url)).text();
      const [socket] = server.sockets;
      socket!.end();
      await once(socket!, 'close');
      expect(await (await ask(server.url)).text()).toBe('x');
      expect(server.requests).toHaveLength(2);
    });
  });

  describe(`an answer over ${name}`, () => {
    it('has its status, headers and text', async () => {
      const headers = 'Retry-After: 3\r\nx-two: 1\r\nX-Two: 2\r\n';
      await using server = await RawServer.listen((socket) => {
        socket.write(answer(text, { status: '429 Too Many Requests', headers }));
      });
      const given = await ask(server.url);
      expect(given.status).toBe(429);
      expect(given.headers.get('retry-after')).toBe('3');
      expect(given.headers.get('X-Two')).toBe('1, 2');
      expect(given.headers.get('absent')).toBeNull();
      expect(await given.text()).toBe(text);
    });

    it('may come byte by byte', async () => {
      const bytes = Array.from(answer(`\uFEFF${text}`), (byte) => Buffer.from([byte]));
      await using server = await RawServer.listen((socket) => void writeInTurns(socket, bytes));
      expect(await (await ask(server.url)).text()).toBe(text);
    });

    it('may be large', async () => {
      const large = 'é'.repeat(3_000_000);
      await using server = await RawServer.listen((socket) => socket.write(answer(large)));
      expect((await (await ask(server.url)).text()) === large).toBe(true);
    });

    it('is kept apart from others that come at once, in pieces', async () => {
      const texts = [0, 1, 20_000, 65_533, 65_536, 70_000, 131_072, 262_143, 262_144, 300_000].flatMap((length) => [
        `${length}`.padEnd(length, 'x'),
        `${length}ü🎉`.padEnd(length, 'é'),
      ]);
      await using server = await RawServer.listen((socket, request) => {
        const asked = texts[Number(request.split('\r\n\r\n')[1])]!;
        void writeInTurns(socket, cut(answer(asked)));
      });
      for (let round = 0; round < 3; round += 1) {
        const asked = texts.map(async (_, index) => (await ask(server.url, { body: String(index) })).text());
        const given = await Promise.all(asked);
        expect(given.filter((each, index) => each !== texts[index])).toEqual([]);
        await turn();
      }
      expect(server.sockets.length).toBeLessThan(server.requests.length);
    });

    it.each([
      ['gzip', gzipSync(text)],
      ['x-gzip', gzipSync(text)],
      ['deflate', deflateSync(text)],
      ['Deflate', deflateRawSync(text)],
      ['br', brotliCompressSync(text)],
      ['gzip, br', brotliCompressSync(gzipSync(text))],
    ])('may be packed by %s', async (coding, bytes) => {
      await using server = await RawServer.listen((socket) => {
        socket.write(answer(bytes, { headers: `content-encoding: ${coding}\r\n` }));
      });
      expect(await (await ask(server.url)).text()).toBe(text);
    });

    it('comes after others that are none', async () => {
      await using server = await RawServer.listen((socket) => {
        socket.write('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n');
        socket.write(answer('x'));
      });
      expect(await (await ask(server.url)).text()).toBe('x');
    });

    it('may be in chunks, with trailers', async () => {
      await using server = await RawServer.listen((socket) => {
        socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n');
        socket.write('1\r\na\r\n2\r\nbc\r\n0\r\nx-sum: 1\r\n\r\n');
      });
      expect(await (await ask(server.url)).text()).toBe('abc');
      await turn();
      expect(await (await ask(server.url)).text()).toBe('abc');
      expect(server.sockets).toHaveLength(1);
    });

    it('may have no body', async () => {
      await using server = await RawServer.listen((socket) => socket.write('HTTP/1.1 204 No Content\r\n\r\n'));
      const given = await ask(server.url);
      expect([given.status, await given.text()]).toEqual([204, '']);
    });

    it('may be without a length, and end with the connection', async () => {
      await using server = await RawServer.listen((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n<p>x</p>'));
      expect(await (await ask(server.url)).text()).toBe('<p>x</p>');
    });

    it.each([301, 302, 303, 307, 308])('is not followed elsewhere: %i', async (status) => {
      await using elsewhere = await RawServer.listen((socket) => socket.write(answer('x')));
      await using server = await RawServer.listen((socket) => {
        socket.write(answer('', { status: `${status} Elsewhere`, headers: `location: ${elsewhere.url}\r\n` }));
      });
      expect((await ask(server.url)).status).toBe(status);
      expect(elsewhere.requests).toEqual([]);
    });

    it('ends where it says, and what follows harms nobody', async () => {
      let isFirst = true;
      await using server = await RawServer.listen((socket) => {
        socket.write(answer(isFirst ? 'x' : 'y'));
        if (isFirst) socket.write('and more');
        isFirst = false;
      });
      expect(await (await ask(server.url)).text()).toBe('x');
      await once(server.sockets[0]!, 'close');
      expect(await (await ask(server.url)).text()).toBe('y');
    });
  });

  describe(`a failure over ${name}`, () => {
    it('is told when nobody listens', async () => {
      const server = await RawServer.listen(() => undefined);
      const { url } = server;
      await server[Symbol.asyncDispose]();
      expect(codesOf(await failure(url))).toContain('ECONNREFUSED');
    });

    it('is told when the connection is reset before the request', async () => {
      await using server = await RawServer.listen(() => undefined, {
        onConnection: (socket) => socket.resetAndDestroy(),
      });
      expect(await failure(server.url)).toBeInstanceOf(Error);
    });

    it.each<[string, (socket: Socket) => void]>([
      ['reset after the request', (socket) => socket.resetAndDestroy()],
      ['closed after the request', (socket) => socket.end()],
      ['closed within the head', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-le')],
      ['closed within the body', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx')],
      ['closed within a chunk', (socket) => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nx')],
      ['reset within the body', (socket) => socket.write(answer('xx').subarray(0, -1), () => socket.resetAndDestroy())],
      ['no HTTP at all', (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')],
      ['a head of a megabyte', (socket) => socket.write(answer('', { headers: `x: ${'y'.repeat(1 << 20)}\r\n` }))],
      ['a status of no number', (socket) => socket.write('HTTP/1.1 abc OK\r\ncontent-length: 0\r\n\r\n')],
      ['two lengths', (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxy')],
      ['a wrong packing', (socket) => socket.write(answer('no gzip', { headers: 'content-encoding: gzip\r\n' }))],
    ])('is told, and the request is made once: %s', async (_, misbehave) => {
      let isFirst = true;
      await using server = await RawServer.listen((socket) => {
        if (isFirst) socket.write(answer('x'));
        else misbehave(socket);
        isFirst = false;
      });
      // Over a connection that was kept, where a repetition would be most tempting.
      await (await ask(server.url)).text();
      expect(await failure(server.url)).toBeInstanceOf(Error);
      expect(server.requests).toHaveLength(2);
    });

    it('is told of a certificate that nobody vouches for', async () => {
      const server = createServer(selfSigned, (_, response) => response.end('x'));
      const port = await listen(server);
      expect(codesOf(await failure(`https://localhost:${port}/`))).toContain('DEPTH_ZERO_SELF_SIGNED_CERT');
      server.close();
    });
  });

  describe(`an abort over ${name}`, () => {
    const reason = new Error('enough');

    it('before the request lets none be made', async () => {
      await using server = await RawServer.listen((socket) => socket.write(answer('x')));
      expect(await failure(server.url, { signal: AbortSignal.abort(reason) })).toBe(reason);
      expect(server.sockets).toEqual([]);
    });

    it.each<[string, (socket: Socket) => void]>([
      ['no head comes', () => undefined],
      ['the head comes slowly', (socket) => socket.write('HTTP/1.1 200 OK\r\nx-')],
      ['the body comes slowly', (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx')],
      ['the body never ends', (socket) => drip(socket)],
    ])('ends the request, and its connection, while %s', async (_, stall) => {
      const { controller, signal } = countedSignal();
      let reach: (socket: Socket) => void = () => undefined;
      const reached = new Promise<Socket>((resolve) => {
        reach = resolve;
      });
      await using server = await RawServer.listen((socket) => {
        stall(socket);
        reach(socket);
      });
      const failed = failure(server.url, { signal });
      const socket = await reached;
      const closed = new Promise((resolve) => {
        socket.once('close', resolve);
      });
      await turn();
      controller.abort(reason);
      expect(await failed).toBe(reason);
      await closed;
    });

    it('after the answer is none of its business', async () => {
      const { controller, signal } = countedSignal();
      await using server = await RawServer.listen((socket) => socket.write(answer('x')));
      const given = await ask(server.url, { signal });
      expect(await given.text()).toBe('x');
      await turn();
      controller.abort(reason);
      await (await ask(server.url)).text();
      expect(server.sockets).toHaveLength(1);
    });
  });
}

function drip(socket: Socket): void {
  socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
  const write = (): void => {
    if (!socket.destroyed) socket.write('1\r\nx\r\n', () => setImmediate(write));
  };
  write();
}

/** Pieces of growing length, the first of them a byte. */
function* cut(bytes: Buffer): Generator<Buffer> {
  for (let at = 0, length = 1; at < bytes.length; at += length, length = length * 3 + 1) {
    yield bytes.subarray(at, at + length);
  }
}

/** A turn of the event loop: a connection is free again after the answer has been read. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** What a machine with both families resolves `localhost` to. */
function bothFamilies(_: string, options: { all?: boolean }, callback: (...results: readonly unknown[]) => void): void {
  const addresses = [
    { address: '::1', family: 6 },
    { address: '127.0.0.1', family: 4 },
  ];
  setImmediate(() => (options.all === true ? callback(null, addresses) : callback(null, '127.0.0.1', 4)));
}

/** The codes of an error and of what caused it. */
function codesOf(error: unknown): readonly unknown[] {
  if (!(error instanceof Error)) return [];
  const { code, errors = [] }: { code?: unknown; errors?: readonly unknown[] } = error as Error & { code?: unknown };
  return [code, ...codesOf(error.cause), ...errors.flatMap(codesOf)];
}
