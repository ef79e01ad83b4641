import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Broker, type BrokerServer, createBroker, type ListenOptions, ManualClock } from '../../../src/broker.ts';
import type { ApiAnswer } from '../../../src/broker/http/api-exchange.ts';
import { listen } from '../../../src/broker/http/listen.ts';

const servers: BrokerServer[] = [];

async function listenWith(options?: ListenOptions): Promise<{ broker: Broker; server: BrokerServer; url: string }> {
  const broker = createBroker();
  const server = await broker.listen(options);
  servers.push(server);
  const { accountId, queueId, baseUrl } = server.queue('jobs');
  return { broker, server, url: `${baseUrl}/accounts/${accountId}/queues/${queueId}` };
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

const headers = { authorization: 'Bearer local-token', 'content-type': 'application/json' };
const post = (url: string, body: unknown): Promise<Response> =>
  fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });

/** Everything that comes back over a socket until the other side closes it. */
async function readAll(socket: Socket): Promise<string> {
  let text = '';
  socket.on('error', () => undefined);
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  // Not once(), which takes a reset for a failure.
  await new Promise((resolve) => socket.on('close', resolve));
  return text;
}

describe('listen()', () => {
  it.each(['0.0.0.0', '::', '', '10.1.2.3', 'example.com', '127.0.0.1.example.com', '::ffff:127.0.0.1'])(
    'refuses the token that everybody knows on %j, where others can reach it',
    async (host) => {
      for (const options of [{}, { apiToken: 'local-token' }]) {
        const listening = createBroker(options).listen({ host });
        await expect(listening.then((server) => server.close())).rejects.toThrow(TypeError);
        await expect(createBroker(options).listen({ host })).rejects.toThrow('choose a token of your own');
      }
    },
  );

  it.each([
    ['127.0.0.1', {}],
    ['localhost', {}],
    ['0.0.0.0', { apiToken: 'mine' }],
  ])('listens on %s with %j', async (host, options) => {
    await using server = await createBroker(options).listen({ host });
    expect(server.port).toBeGreaterThan(0);
  });

  it('answers on a loopback port of its own', async () => {
    const { broker, server, url } = await listenWith();
    expect(server.baseUrl).toBe(`http://127.0.0.1:${server.port}/client/v4`);
    const body = { text: 'é'.repeat(50_000) };
    expect((await post(`${url}/messages`, { body })).status).toBe(200);
    expect(broker.inspect('jobs').messages).toMatchObject([{ body }]);
    const response = await post(`${url}/messages/pull`, {});
    expect(response.headers.get('content-type')).toBe('application/json');
    const { result } = (await response.json()) as { result: { messages: { body: string }[] } };
    expect(JSON.parse(result.messages[0]?.body ?? '')).toEqual(body);
    expect((await fetch(`${url}/metrics`, { headers })).status).toBe(200);
    expect((await fetch(`${url}/metrics`, { headers, method: 'HEAD' })).status).toBe(405);
  });

  it('gives options without a fetch, for the same queue as in process', async () => {
    const { broker, server } = await listenWith();
    const { fetch: _, ...inProcess } = broker.queue('jobs');
    expect(server.queue('jobs')).toEqual({ ...inProcess, baseUrl: server.baseUrl });
  });

  it('rejects when the port is taken', async () => {
    const { server, broker } = await listenWith();
    await expect(broker.listen({ port: server.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('reads no more than it has to of a request that is too large', async () => {
    const { url } = await listenWith();
    const response = await post(`${url}/messages`, { body: 'x'.repeat(10_000_001) });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('10000000 bytes');
  });

  it('survives clients that go away in the middle of a request or an answer', async () => {
    const { server, broker, url } = await listenWith();
    for (let message = 0; message < 100; message += 1) broker.push('jobs', { body: 'x'.repeat(128_000) });
    const half = connect(server.port, '127.0.0.1');
    await once(half, 'connect');
    half.write('POST /client/v4 HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{"half":');
    half.resetAndDestroy();
    const pull = connect(server.port, '127.0.0.1');
    const body = '{"batch_size":100}';
    const head = `POST ${new URL(url).pathname}/messages/pull HTTP/1.1\r\nhost: x\r\nauthorization: Bearer local-token`;
    pull.write(`${head}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    await once(pull, 'data');
    pull.resetAndDestroy();
    expect((await fetch(`${url}/metrics`, { headers })).status).toBe(200);
  });
});

describe('close()', () => {
  it('ends idle keep-alive connections and refuses new ones', async () => {
    const { server, url } = await listenWith();
    const agent = new Agent({ keepAlive: true });
    const idle = await new Promise<Socket>((resolve, reject) => {
      request(`${url}/metrics`, { headers, agent }, (response) => {
        const { socket } = response;
        response.resume().on('end', () => resolve(socket));
      })
        .on('error', reject)
        .end();
    });
    expect(idle.destroyed).toBe(false);
    const ended = once(idle, 'close');
    await server.close();
    await ended;
    agent.destroy();
    await expect(fetch(`${url}/metrics`, { headers })).rejects.toThrow('fetch failed');
  });

  it('ends connections that have sent nothing, or half a request', async () => {
    const { server } = await listenWith();
    const sockets = [connect(server.port, '127.0.0.1'), connect(server.port, '127.0.0.1')];
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    sockets[1]?.write('POST /client/v4 HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{"half":');
    const ended = Promise.all(sockets.map(readAll));
    await server.close();
    expect(await ended).toEqual(['', '']);
  });

  it('lets an answer that is being made go out', async () => {
    let answer: (answer: ApiAnswer) => void = () => undefined;
    let asked: () => void = () => undefined;
    const wasAsked = new Promise<void>((resolve) => (asked = resolve));
    const listener = await listen(() => {
      asked();
      return new Promise((resolve) => (answer = resolve));
    });
    const response = fetch(listener.origin);
    await wasAsked;
    const closed = listener.close();
    answer({ status: 200, headers: {}, text: 'last words' });
    expect(await (await response).text()).toBe('last words');
    await closed;
  });

  it('does not wait for ever for an answer that never comes', async () => {
    const clock = new ManualClock();
    let asked: () => void = () => undefined;
    const wasAsked = new Promise<void>((resolve) => (asked = resolve));
    const handler = (): Promise<ApiAnswer> => {
      asked();
      return new Promise(() => undefined);
    };
    const listener = await listen(handler, {}, clock);
    const failed = expect(fetch(listener.origin)).rejects.toThrow('fetch failed');
    await wasAsked;
    const closed = listener.close();
    await clock.advance(1_000);
    await Promise.all([closed, failed]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives the same promise again, leaves the broker as it is, and is what `await using` calls', async () => {
    const { broker, server, url } = await listenWith();
    await post(`${url}/messages`, { body: 1 });
    await Promise.all([server.close(), server[Symbol.asyncDispose]()]);
    expect(broker.isEmpty('jobs')).toBe(false);
  });
});

describe('clients that are slow or no clients', () => {
  it('are answered with 408 when a head, or a body, takes too long', { timeout: 10_000 }, async () => {
    const { server, url } = await listenWith({ requestTimeoutMs: 1_000 });
    const { pathname } = new URL(url);
    const head = `POST ${pathname}/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer local-token\r\n`;
    const slow = [head, `${head}content-length: 1000\r\n\r\n{"half":`].map(async (text) => {
      const socket = connect(server.port, '127.0.0.1');
      socket.write(text);
      return readAll(socket);
    });
    for (const answer of await Promise.all(slow)) {
      expect(answer).toMatch(/^HTTP\/1.1 408 /);
      expect(answer).toContain('"success":false');
    }
  });

  it('leave nothing behind when a body ends before its time', async () => {
    const { server, broker } = await listenWith();
    const socket = connect(server.port, '127.0.0.1');
    const path = `/client/v4/accounts/${broker.queue('jobs').accountId}/queues/${broker.queue('jobs').queueId}/messages`;
    const head = `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer local-token\r\ncontent-length: 100\r\n\r\n`;
    socket.end(`${head}{"body":1}`);
    expect(await readAll(socket)).not.toContain('200 OK');
    expect(broker.isEmpty('jobs')).toBe(true);
  });
});

describe('intercept', () => {
  it('sees every request first, with the host that the client called', async () => {
    const { server } = await listenWith({
      intercept: async (asked, next) =>
        new URL(asked.url).pathname === '/mine' ? new Response(asked.headers.get('host')) : next(asked),
    });
    expect(await (await fetch(`http://localhost:${server.port}/mine`)).text()).toBe(`localhost:${server.port}`);
    expect((await fetch(`${server.baseUrl}/other`, { headers })).status).toBe(404);
  });
});
