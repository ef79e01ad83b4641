import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type Broker,
  type BrokerOptions,
  type BrokerServer,
  createBroker,
  type ListenOptions,
} from '../../../src/broker.ts';
import { type RawAnswer, RawClient } from './raw-client.ts';

const servers: BrokerServer[] = [];

interface Opened {
  readonly broker: Broker;
  readonly server: BrokerServer;
  /** The path of the queue. */
  readonly path: string;
  readonly client: RawClient;
}

async function open(options?: BrokerOptions, listenOptions?: ListenOptions): Promise<Opened> {
  const broker = createBroker(options);
  const server = await broker.listen(listenOptions);
  servers.push(server);
  const { accountId, queueId } = server.queue('jobs');
  const path = `/client/v4/accounts/${accountId}/queues/${queueId}`;
  return { broker, server, path, client: new RawClient(server) };
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

const token = 'authorization: Bearer local-token\r\n';
const wrongChecksum = gzipSync('{"body":1}');
wrongChecksum.fill(0, wrongChecksum.length - 8, wrongChecksum.length - 4);
const jsonHead = (text: string): string => `content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;

// What only an engine would say.
const engineText = /\b(?:\w*Error:|undici|ERR_\w+|HPE_\w+|Invalid URL|node:|at \/|zlib)/;

function expectRefusal(answer: RawAnswer, status: number): void {
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toBe('application/json');
  expect(answer.json).toMatchObject({ success: false, messages: [], result: null });
  const [error] = answer.json.errors;
  expect(error).toEqual(expect.objectContaining({ code: expect.any(Number), message: expect.stringMatching(/\w/) }));
  expect(answer.body).not.toMatch(engineText);
}

describe('a pull without a body', () => {
  it.each([
    ['no body and no length', '\r\n'],
    ['a length of 0', 'content-length: 0\r\n\r\n'],
    ['no chunks', 'transfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a type, but no body', 'content-type: application/json\r\ncontent-length: 0\r\n\r\n'],
    ['an empty object', 'content-length: 2\r\n\r\n{}'],
  ])('is one with defaults: %s', async (_, rest) => {
    const { path, client, broker } = await open();
    for (let n = 0; n < 7; n += 1) broker.push('jobs', { body: n });
    const { status, json } = await client
      .send(`POST ${path}/messages/pull HTTP/1.1\r\nhost: x\r\n${token}${rest}`)
      .answer();
    expect(status).toBe(200);
    expect(json.result.messages).toHaveLength(5);
  });

  it('is refused by a strict broker, which takes {}', async () => {
    const { path, client } = await open({ emptyBodies: 'refuse' });
    const head = `POST ${path}/messages/pull HTTP/1.1\r\nhost: x\r\n${token}`;
    const answer = await client.send(`${head}\r\n`).answer();
    expectRefusal(answer, 400);
    expect(answer.json.errors[0].code).toBe(10_208);
    expect((await client.send(head + jsonHead('{}')).answer()).status).toBe(200);
  });

  it('has its like in peeks and settlements, all of whose fields are optional, but in no push', async () => {
    const { path, client } = await open();
    const post = (call: string) => client.send(`POST ${path}${call} HTTP/1.1\r\nhost: x\r\n${token}\r\n`).answer();
    expect((await post('/messages/peek')).json.result).toEqual({ messages: [] });
    expect((await post('/messages/ack')).json.result).toMatchObject({ ackCount: 0, retryCount: 0 });
    for (const call of ['/messages', '/messages/batch', '/messages/purge', '/purge']) {
      expectRefusal(await post(call), 400);
    }
  });
});

describe('Host', () => {
  it.each([
    ['none', '', 400],
    ['two', 'host: x\r\nhost: y\r\n', 400],
    ['twice the same', 'host: x\r\nHost: x\r\n', 400],
    ['a list', 'host: x, y\r\n', 400],
    ['a path', 'host: x/y\r\n', 400],
    ['a user', 'host: a@x\r\n', 400],
    ['a space', 'host: x y\r\n', 400],
    ['a port that is none', 'host: x:port\r\n', 400],
    ['a name', 'host: x\r\n', 200],
    ['a name and a port', 'host: queues.localhost:7878\r\n', 200],
    ['an IPv6 address', 'host: [::1]:7878\r\n', 200],
  ])('%s', async (_, hosts, status) => {
    const { path, client } = await open();
    const answer = await client.send(`GET ${path}/metrics HTTP/1.1\r\n${hosts}${token}\r\n`).answer();
    if (status === 200) expect(answer.status).toBe(200);
    else expectRefusal(answer, status);
  });

  it('may be left out by a client of HTTP/1.0', async () => {
    const { path, client } = await open();
    expect((await client.send(`GET ${path}/metrics HTTP/1.0\r\n${token}\r\n`).answer()).status).toBe(200);
  });
});

describe('a target', () => {
  it('in absolute form is taken for our own host, which counts in place of Host', async () => {
    const hosts: (string | null)[] = [];
    const { path, client, server } = await open(undefined, {
      intercept: (request, next) => {
        hosts.push(request.headers.get('host'));
        return next(request);
      },
    });
    const own = ['127.0.0.1', 'localhost', 'LOCALHOST', 'queues.localhost'].map((name) => `${name}:${server.port}`);
    for (const host of own) {
      client.send(`GET http://${host}${path}/metrics HTTP/1.1\r\nhost: evil.example\r\n${token}\r\n`);
      expect((await client.answer()).status).toBe(200);
    }
    expect(hosts).toEqual(own.map((host) => host.toLowerCase()));
  });

  it.each([
    ['http://evil.example'],
    ['http://evil.example:PORT'],
    ['http://127.0.0.1'],
    ['http://127.0.0.1:1'],
    ['http://127.0.0.1.evil.example:PORT'],
    ['http://user@127.0.0.1:PORT'],
    ['https://127.0.0.1:PORT'],
    ['ftp://127.0.0.1:PORT'],
    ['http://[::2]:PORT'],
  ])('in absolute form is refused for %s', async (origin) => {
    const { path, client, server, broker } = await open();
    const target = `${origin.replace('PORT', String(server.port))}${path}/messages`;
    const body = jsonHead('{"body":1}');
    const head = `POST ${target} HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\n${token}`;
    expectRefusal(await client.send(head + body).answer(), 421);
    expect(broker.isEmpty('jobs')).toBe(true);
  });

  it.each(['*', 'x/y', 'http://', 'http://[', 'mailto:x', '?x'])('of %j is refused', async (target) => {
    const { client } = await open();
    const answer = await client.send(`GET ${target} HTTP/1.1\r\nhost: x\r\n${token}\r\n`).answer();
    expect([400, 421]).toContain(answer.status);
    expectRefusal(answer, answer.status);
  });

  it.each(['//evil.example/x', String.raw`/\evil.example/x`, '/%', '/%00', '/..//..', '/;x#y'])(
    'of %j is a path like any other',
    async (target) => {
      const { client } = await open();
      expectRefusal(await client.send(`GET ${target} HTTP/1.1\r\nhost: x\r\n${token}\r\n`).answer(), 404);
    },
  );
});

describe('a method', () => {
  it.each([
    ['/messages/pull', 'GET', 'POST'],
    ['/messages/pull', 'TRACE', 'POST'],
    ['/messages/pull', 'OPTIONS', 'POST'],
    ['/messages/pull', 'QUERY', 'POST'],
    ['/metrics', 'DELETE', 'GET'],
    ['/purge', 'PUT', 'GET, POST'],
    ['/consumers', 'PATCH', 'GET, POST'],
    ['/consumers/x', 'PATCH', 'DELETE, GET, PUT'],
    ['', 'POST', 'DELETE, GET, PATCH, PUT'],
  ])('that %j does not have, %s, is refused with those that it has', async (call, method, allow) => {
    const { path, client } = await open();
    const answer = await client.send(`${method} ${path}${call} HTTP/1.1\r\nhost: x\r\n${token}\r\n`).answer();
    if (method === 'QUERY' && answer.status === 400) return expectRefusal(answer, 400);
    expectRefusal(answer, 405);
    expect(answer.headers['allow']).toBe(allow);
    expect(answer.json.errors[0].message).toContain(method);
  });

  it.each([
    ['/client/v4/accounts/0123456789abcdef0123456789abcdef/queues', 'DELETE', 'GET, POST'],
    ['/leasestream/queues', 'POST', 'GET'],
    ['/leasestream/faults', 'POST', 'DELETE, GET, PUT'],
  ])('is refused beside queues, too: %s', async (path, method, allow) => {
    const { client } = await open();
    const answer = await client.send(`${method} ${path} HTTP/1.1\r\nhost: x\r\n${token}\r\n`).answer();
    expectRefusal(answer, 405);
    expect(answer.headers['allow']).toBe(allow);
  });

  it('of HEAD is refused without a body', async () => {
    const { path, client } = await open();
    client.send(`HEAD ${path}/metrics HTTP/1.1\r\nhost: x\r\n${token}\r\n`);
    const { status, headers } = await client.answer({ toHead: true });
    expect([status, headers['allow']]).toEqual([405, 'GET']);
    expect((await client.send(`GET ${path}/metrics HTTP/1.1\r\nhost: x\r\n${token}\r\n`).answer()).status).toBe(200);
  });

  it('of OPTIONS * is refused with all that there are', async () => {
    const { client } = await open();
    const answer = await client.send(`OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n`).answer();
    expectRefusal(answer, 405);
    expect(answer.headers['allow']).toBe('DELETE, GET, PATCH, POST, PUT');
  });

  it('of CONNECT is refused, and the connection ends', async () => {
    const { client } = await open();
    const answer = await client.send('CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example:443\r\n\r\n').answer();
    expectRefusal(answer, 405);
    expect(answer.headers['allow']).toBe('DELETE, GET, PATCH, POST, PUT');
    expect(await client.closed()).toBe('');
  });

  it('with an Upgrade is answered as if there were none', async () => {
    const { path, client } = await open();
    const head = `GET ${path}/metrics HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n${token}\r\n`;
    expect((await client.send(head).answer()).status).toBe(200);
  });
});

describe('Expect', () => {
  const post = (path: string, credentials: string, expectation: string): string =>
    `POST ${path}/messages HTTP/1.1\r\nhost: x\r\n${credentials}expect: ${expectation}\r\ncontent-length: 10\r\n\r\n`;

  it('is answered with 100 once the body is wanted', async () => {
    const { path, client, broker } = await open();
    expect((await client.send(post(path, token, '100-continue')).answer()).status).toBe(100);
    expect((await client.send('{"body":1}').answer()).status).toBe(200);
    expect(broker.isEmpty('jobs')).toBe(false);
  });

  it('is answered with the refusal, and never with 100, when the body is not wanted', async () => {
    const { path, client } = await open();
    const answer = await client.send(post(path, '', '100-continue')).answer();
    expectRefusal(answer, 401);
    // Whether a body still follows nobody can know, so nothing can come after it.
    expect(answer.headers['connection']).toBe('close');
    expect(await client.closed()).toBe('');
  });

  it('is refused where it is of something else', async () => {
    const { path, client, broker } = await open();
    expectRefusal(await client.send(`${post(path, token, 'a-miracle')}{"body":1}`).answer(), 417);
    expect(broker.isEmpty('jobs')).toBe(true);
  });
});

describe('what is refused before its body is read', () => {
  it.each([
    ['no credentials', '/messages', '', 401],
    ['wrong ones', '/messages', 'authorization: Bearer wrong\r\n', 403],
    ['a path that leads nowhere', '/nowhere', token, 404],
    ['another method', '/metrics', token, 405],
    ['a body that says that it is too large', '/messages', token, 400],
  ])('%s', async (_, call, credentials, status) => {
    const { path, client } = await open();
    const length = status === 400 ? 10_000_001 : 1_000;
    const head = `POST ${path}${call} HTTP/1.1\r\nhost: x\r\n${credentials}content-length: ${length}\r\n\r\n`;
    expectRefusal(await client.send(head).answer(), status);
  });

  it('leaves the connection in step: the body is dropped, and the next request answered', async () => {
    const { path, client } = await open();
    const body = 'GET /smuggled HTTP/1.1\r\n\r\n';
    client.send(`POST ${path}/messages HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n`);
    expectRefusal(await client.answer(), 401);
    client.send(`${body}GET ${path}/metrics HTTP/1.1\r\nhost: x\r\n${token}\r\n`);
    expect((await client.answer()).status).toBe(200);
  });

  it('is answered once, also when what follows is no body', async () => {
    const { path, client } = await open();
    client.send(`POST ${path}/messages HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n`);
    expectRefusal(await client.answer(), 401);
    expect(await client.send('no chunk\r\n').closed()).toBe('');
  });
});

describe('a compressed body', () => {
  const gzipped = (path: string, body: Buffer, coding = 'gzip'): Buffer => {
    const fields = `content-encoding: ${coding}\r\ncontent-length: ${body.length}\r\n`;
    return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\nhost: x\r\n${token}${fields}\r\n`), body]);
  };

  it.each(['gzip', 'GZIP', 'x-gzip'])('is inflated: %s', async (coding) => {
    const { path, client, broker } = await open();
    const body = gzipSync('{"body":{"text":"grüße"}}');
    expect((await client.send(gzipped(`${path}/messages`, body, coding)).answer()).status).toBe(200);
    expect(broker.inspect('jobs').messages).toMatchObject([{ body: { text: 'grüße' } }]);
  });

  it('may come in pieces, and be of no coding by name', async () => {
    const { path, client, broker } = await open();
    const request = gzipped(`${path}/messages`, gzipSync('{"body":1}'));
    for (let start = 0; start < request.length; start += 30) {
      client.send(request.subarray(start, start + 30));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await client.answer()).status).toBe(200);
    expect(
      (await client.send(gzipped(`${path}/messages`, Buffer.from('{"body":2}'), 'identity')).answer()).status,
    ).toBe(200);
    expect(broker.inspect('jobs').counts.total).toBe(2);
  });

  it('is refused when it inflates to more than ten million bytes', async () => {
    const { path, client, broker } = await open();
    const bomb = gzipSync(Buffer.alloc(500_000_000, 32), { level: 1 });
    expect(bomb.length).toBeLessThan(10_000_000);
    const before = process.memoryUsage().rss;
    const answer = await client.send(gzipped(`${path}/messages`, bomb)).answer();
    expectRefusal(answer, 400);
    expect(answer.json.errors[0]).toMatchObject({ code: 10_208, message: expect.stringContaining('10000000 bytes') });
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
    expect(broker.isEmpty('jobs')).toBe(true);
  });

  it.each([
    ['no gzip at all', Buffer.from('{"body":1}')],
    ['half of it', gzipSync('{"body":1}').subarray(0, 20)],
    ['a wrong checksum', wrongChecksum],
    ['no JSON within', gzipSync('{"body":')],
  ])('is refused with %s', async (_, body) => {
    const { path, client, broker } = await open();
    const answer = await client.send(gzipped(`${path}/messages`, body)).answer();
    expectRefusal(answer, 400);
    expect(answer.json.errors[0].code).toBe(10_208);
    expect(broker.isEmpty('jobs')).toBe(true);
  });

  it('counts as a pull with defaults when nothing is in it', async () => {
    const { path, client } = await open();
    expect((await client.send(gzipped(`${path}/messages/pull`, gzipSync(''))).answer()).status).toBe(200);
  });

  it.each(['br', 'deflate', 'zstd', 'gzip, gzip', 'gzip, br'])('of %s is refused with 415', async (coding) => {
    const { path, client } = await open();
    const answer = await client.send(gzipped(`${path}/messages`, gzipSync('{"body":1}'), coding)).answer();
    expectRefusal(answer, 415);
    expect(answer.headers['accept-encoding']).toBe('gzip, identity');
  });

  it('of a transfer coding that is not chunked is refused with 501', async () => {
    const { path, client } = await open();
    const head = `POST ${path}/messages HTTP/1.1\r\nhost: x\r\n${token}transfer-encoding: gzip, chunked\r\n\r\n`;
    expectRefusal(await client.send(`${head}0\r\n\r\n`).answer(), 501);
  });

  it('is inflated within the process, too', async () => {
    const broker = createBroker();
    const { accountId, queueId, apiToken, baseUrl, fetch } = broker.queue('jobs');
    const headers = { authorization: `Bearer ${apiToken}`, 'content-encoding': 'gzip' };
    const url = `${baseUrl}/accounts/${accountId}/queues/${queueId}/messages`;
    expect((await fetch(url, { method: 'POST', headers, body: gzipSync('{"body":1}') })).status).toBe(200);
    expect((await fetch(url, { method: 'POST', headers, body: 'x' })).status).toBe(400);
  });
});

describe('what is no HTTP', () => {
  it.each([
    ['a greeting', 'hello\r\n\r\n', 400],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['two lengths', `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx`, 400],
    [
      'a length and chunks',
      `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['another version', 'GET / HTTP/9.9\r\nhost: x\r\n\r\n', 400],
    ['a head without an end', `GET / HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(100_000)}\r\n\r\n`, 431],
  ])('is refused: %s', async (_, text, status) => {
    const { client } = await open();
    expectRefusal(await client.send(text).answer(), status);
  });

  it('is refused when it is in the body of a request', async () => {
    const { path, client, broker } = await open();
    client.send(`POST ${path}/messages HTTP/1.1\r\nhost: x\r\n${token}transfer-encoding: chunked\r\n\r\n5\r\n{"bod`);
    expectRefusal(await client.send('\r\nno chunk\r\n').answer(), 400);
    expect(broker.isEmpty('jobs')).toBe(true);
  });
});

describe('a mistake of the server itself', () => {
  it('is told to who runs it, and to no client', async () => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const mistake = new Error('secret of node:internal');
    const fails = (): never => {
      throw mistake;
    };
    const { path, client } = await open({ onJournal: fails });
    const push = `POST ${path}/messages HTTP/1.1\r\nhost: x\r\n${token}${jsonHead('{"body":1}')}`;
    const answer = await client.send(push).answer();
    expectRefusal(answer, 500);
    expect(answer.body).not.toContain('secret');
    const second = await open(undefined, { intercept: fails });
    const intercepted = await second.client.send(push).answer();
    expectRefusal(intercepted, 500);
    expect(intercepted.body).not.toContain('secret');
    expect(told.mock.calls.map((call) => call.at(-1))).toEqual([mistake, mistake]);
    told.mockRestore();
  });
});
