import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { everythingIn } from './everything-in.ts';
import { countedSignal } from './counted-signal.ts';
import { openTransport, rejection, token } from './fake-fetch.ts';
import { ManualClock } from './manual-clock.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const servers: Server[] = [];

async function listen(handler: Handler): Promise<string> {
  const server = createServer(handler);
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  }
});

/** A promise with its resolve. */
function signalled(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

const empty = '{"success":true,"errors":[],"messages":[],"result":{"messages":[]}}';

const stalls: readonly (readonly [string, (response: ServerResponse) => void])[] = [
  ['no headers come', () => {}],
  [
    'the body stops half way',
    (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write(empty.slice(0, 20));
    },
  ],
];

describe('over a real socket', () => {
  it('sends and reads JSON', async () => {
    let seen = '';
    const baseUrl = await listen((request, response) => {
      request.setEncoding('utf8').on('data', (chunk: string) => {
        seen += chunk;
      });
      request.on('end', () => {
        response.setHeader('content-type', 'application/json').end(empty);
      });
    });
    await openTransport({ baseUrl }).push({ body: { text: 'grüße 🎉' } });
    expect(JSON.parse(seen)).toStrictEqual({ body: { text: 'grüße 🎉' }, content_type: 'json' });
  });

  it('reads gzip', async () => {
    const baseUrl = await listen((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(empty));
    });
    await expect(openTransport({ baseUrl }).pull({})).resolves.toStrictEqual({ messages: [] });
  });

  it('takes HTML for what it is', async () => {
    const baseUrl = await listen((_, response) => {
      response.writeHead(503, { 'content-type': 'text/html', 'retry-after': '3' }).end('<h1>Down</h1>');
    });
    expect(await rejection(openTransport({ baseUrl }).pull({}))).toMatchObject({
      code: 'service-failed',
      retryAfterMs: 3000,
      message: 'Cannot pull: the service answered 503: Down.',
    });
  });

  it.each(stalls)('times out when %s', async (_, stall) => {
    const reached = signalled();
    const gone = signalled();
    const baseUrl = await listen((request, response) => {
      stall(response);
      request.socket.on('close', gone.resolve);
      reached.resolve();
    });
    const clock = new ManualClock();
    const rejected = rejection(openTransport({ baseUrl, clock }).pull({}, { timeoutMs: 5000 }));
    await reached.promise;
    clock.advance(5000);
    expect(await rejected).toMatchObject({ code: 'timeout' });
    await gone.promise;
  });

  it.each(stalls)('lets itself be aborted when %s', async (_, stall) => {
    const reached = signalled();
    const gone = signalled();
    const baseUrl = await listen((request, response) => {
      stall(response);
      request.socket.on('close', gone.resolve);
      reached.resolve();
    });
    const { controller, signal, count } = countedSignal();
    const rejected = rejection(openTransport({ baseUrl }).pull({}, { signal }));
    await reached.promise;
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await rejected).toBe(reason);
    expect(count()).toBe(0);
    await gone.promise;
  });

  it.each<[string, Handler]>([
    ['before the headers', (request) => request.socket.destroy()],
    [
      'within the body',
      (request, response) => {
        response.writeHead(200, { 'content-length': String(empty.length) });
        response.write(empty.slice(0, 20), () => request.socket.destroy());
      },
    ],
  ])('tells a connection that is cut %s', async (_, handler) => {
    const { signal, count } = countedSignal();
    const error = await rejection(openTransport({ baseUrl: await listen(handler) }).pull({}, { signal }));
    expect(error).toMatchObject({ name: 'QueueError', code: 'network' });
    expect(everythingIn(error)).not.toContain(token);
    expect(count()).toBe(0);
  });

  it('tells that nobody listens', async () => {
    const baseUrl = await listen(() => {});
    await new Promise((resolve) => {
      servers.pop()?.close(resolve);
    });
    const error = await rejection(openTransport({ baseUrl }).pull({}));
    expect(error).toMatchObject({ code: 'network' });
    expect((error as Error).message).toContain('ECONNREFUSED');
    expect(everythingIn(error)).not.toContain(token);
  });

  it('does not follow a redirect, and sends the credential nowhere else', async () => {
    let reached = 0;
    const elsewhere = await listen((_, response) => {
      reached += 1;
      response.end(empty);
    });
    const baseUrl = await listen((_, response) => {
      response.writeHead(307, { location: elsewhere }).end();
    });
    expect(await rejection(openTransport({ baseUrl }).pull({}))).toMatchObject({ code: 'bad-answer', status: 307 });
    expect(reached).toBe(0);
  });
});
