import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBroker } from '../../src/broker.ts';
import { createCloudflareTransport } from '../../src/cloudflare.ts';
import { type Ran, runCli } from './run-cli.ts';

interface Served {
  readonly baseUrl: string;
  readonly accountId: string;
  readonly apiToken: string;
  readonly queues: readonly { readonly name: string; readonly id: string }[];
}

let directory: string;
const running: { readonly controller: AbortController; readonly ran: Promise<Ran> }[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leasestream-serve-'));
});

afterEach(async () => {
  for (const { controller, ran } of running.splice(0)) {
    controller.abort();
    expect((await ran).code).toBe(0);
  }
  await rm(directory, { recursive: true, force: true });
});

/** Starts `serve` and gives its output, once it listens. */
const start = (...parameters: readonly string[]): Promise<string> => startIn({}, ...parameters);

async function startIn(environment: Record<string, string>, ...parameters: readonly string[]): Promise<string> {
  const controller = new AbortController();
  let listening: (text: string) => void = () => undefined;
  const output = new Promise<string>((resolve) => (listening = resolve));
  const settings = { environment, signal: controller.signal, onOutput: listening };
  const ran = runCli(['serve', '--port', '0', ...parameters], settings);
  const failed = ran.then(({ stderr }): never => {
    throw new Error(stderr);
  });
  failed.catch(() => undefined);
  const first = await Promise.race([output, failed]);
  running.push({ controller, ran });
  return first;
}

async function serve(...parameters: readonly string[]): Promise<Served> {
  return JSON.parse(await start('--json', ...parameters)) as Served;
}

const transportTo = ({ queues, ...served }: Served, name: string) =>
  createCloudflareTransport({ ...served, queueId: queues.find((queue) => queue.name === name)?.id ?? '' });

const fails = (...parameters: readonly string[]): Promise<Ran> => runCli(['serve', '--port', '0', ...parameters]);

describe('serve', () => {
  it('answers, with the queues and their settings', async () => {
    const served = await serve('--queue', 'jobs:max-retries=0,dead-letter-queue=dead,delay=0', '--queue', 'other');
    expect(served).toEqual({
      baseUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/client\/v4$/),
      accountId: '0123456789abcdef0123456789abcdef',
      apiToken: 'local-token',
      queues: ['jobs', 'dead', 'other'].map((name) => ({ name, id: expect.stringMatching(/^[\da-f]{32}$/) })),
    });
    const jobs = transportTo(served, 'jobs');
    await jobs.push({ body: 'x' });
    const { messages } = await jobs.pull({});
    await jobs.ack({ acks: [], retries: messages.map(({ leaseId }) => ({ leaseId })) });
    expect((await transportTo(served, 'dead').metrics()).backlogCount).toBe(1);
  });

  it('takes the id of a queue, which stays the same where queues are in memory', async () => {
    const id = '00112233445566778899aabbccddeeff';
    expect((await serve('--queue', `jobs:id=${id}`)).queues).toEqual([{ name: 'jobs', id }]);
    const { code, stderr } = await fails('--queue', 'jobs:id=12');
    expect([code, stderr]).toEqual([2, expect.stringContaining("'id' must be 32 hex characters")]);
  });

  it('follows a rename that it kept, makes no second queue, and says so', async () => {
    const data = join(directory, 'data');
    const broker = await openBroker({ directory: data, queues: { jobs: {}, mail: {} } });
    const { accountId, apiToken, baseUrl, queueId } = broker.queue('jobs');
    for (const [id, name] of [
      [queueId, 'orders'],
      [broker.queue('mail').queueId, 'letters'],
    ]) {
      const init = {
        method: 'PATCH',
        headers: { authorization: `Bearer ${apiToken}` },
        body: `{"queue_name":"${name}"}`,
      };
      await broker.fetch(`${baseUrl}/accounts/${accountId}/queues/${id}`, init);
    }
    await broker.close();
    const lines = (await start('--data', data, '--queue', 'jobs', '--queue', 'mail', '--queue', 'letters')).split('\n');
    expect(lines).toContain(
      "# the queue 'jobs' was renamed: it is 'orders' now, and has the settings given for 'jobs'",
    );
    expect(lines).toContain("# the queue 'mail' was renamed: it is 'letters' now, and has the settings given for that");
    const ids = lines.filter((line) => line.startsWith('export QUEUE_ID_')).map((line) => line.slice(7));
    expect(ids).toContain(`QUEUE_ID_JOBS=${queueId}`);
    expect(ids).toContain(`QUEUE_ID_ORDERS=${queueId}`);
    expect(ids).toHaveLength(4);
  });

  it('prints what a shell can export', async () => {
    const lines = (await start('--queue', 'failed-jobs', '--api-token', "it's")).split('\n');
    expect(lines.filter((line) => !/^(#.*|export \w+=\S+|)$/.test(line))).toEqual([]);
    expect(lines).toContain(String.raw`export CLOUDFLARE_API_TOKEN='it'\''s'`);
    expect(lines.some((line) => /^export QUEUE_ID_FAILED_JOBS=[\da-f]{32}$/.test(line))).toBe(true);
    expect(lines.some((line) => line.startsWith('export CLOUDFLARE_BASE_URL=http://127'))).toBe(true);
  });

  it.each<[string, Record<string, string>, string, string[]]>([
    ['none where there is no proxy', { HTTPS_PROXY: 'p:1' }, '127.0.0.1', []],
    ['it where there is one', { HTTP_PROXY: 'p:1' }, '127.0.0.1', ["NO_PROXY='127.0.0.1,localhost'"]],
    ['none where it is there', { HTTP_PROXY: 'p:1', NO_PROXY: 'a.test, 127.0.0.1' }, '127.0.0.1', []],
    ['none where it is everything', { HTTP_PROXY: 'p:1', NO_PROXY: '*' }, '127.0.0.1', []],
    [
      'it where only some programs would find it',
      { http_proxy: 'p:1', NO_PROXY: '127.0.0.0/8' },
      '127.0.0.1',
      ["NO_PROXY='127.0.0.0/8,127.0.0.1,localhost'"],
    ],
    [
      'it by both names where that in lower case is set',
      { http_proxy: 'p:1', no_proxy: 'a.test', NO_PROXY: 'b.test' },
      '127.0.0.1',
      ["no_proxy='a.test,b.test,127.0.0.1,localhost'", "NO_PROXY='a.test,b.test,127.0.0.1,localhost'"],
    ],
    [
      'both spellings of an IPv6 address',
      { HTTP_PROXY: 'p:1', NO_PROXY: '::1' },
      '::1',
      ["NO_PROXY='::1,[::1],localhost'"],
    ],
  ])('prints the NO_PROXY that is needed: %s', async (_, environment, host, exports) => {
    const text = await startIn(environment, '--host', host);
    const found = [...text.matchAll(/^export (no_proxy=.*)$/gim)].map(([, each]) => each);
    expect(found).toEqual(exports);
  });

  it('has the NO_PROXY that is needed in its JSON, and no credential of a proxy', async () => {
    const served = await startIn({ HTTP_PROXY: 'http://user:sekret@p:1', NO_PROXY: 'a.test' }, '--json');
    expect(JSON.parse(served)).toMatchObject({ noProxy: 'a.test,127.0.0.1,localhost' });
    expect(await startIn({ HTTP_PROXY: 'http://user:sekret@p:1' })).not.toMatch(/sekret|user/);
    expect(await serve()).not.toHaveProperty('noProxy');
  });

  it('reads a file, and options win over it', async () => {
    const path = join(directory, 'serve.json');
    const queues = { jobs: { visibilityTimeoutMs: 5_000 }, more: {} };
    const config = { accountId: 'file', apiToken: 'file', queues, jsonBodies: 'base64', faults: { rateLimit: 1 } };
    await writeFile(path, JSON.stringify(config));
    const served = await serve('--config', path, '--api-token', 'flag', '--fault', 'rateLimit=0', '--queue', 'third');
    expect(served).toMatchObject({ accountId: 'file', apiToken: 'flag' });
    expect(served.queues.map(({ name }) => name)).toEqual(['jobs', 'more', 'third']);
    expect((await transportTo(served, 'jobs').metrics()).backlogCount).toBe(0);
  });

  it('behaves, and fails, as it is told', async () => {
    const served = await serve(
      '--queue',
      'jobs',
      '--behaviour',
      'metrics=zero',
      '--fault',
      'failBefore=1',
      '--fault',
      'calls=["pull"]',
    );
    const jobs = transportTo(served, 'jobs');
    await jobs.push({ body: 1 });
    expect((await jobs.metrics()).backlogCount).toBe(0);
    await expect(jobs.pull({})).rejects.toMatchObject({ code: 'service-failed' });
  });

  it.each([
    [['--queue', 'a b'], "'name' must be 1 to 63"],
    [['--queue', 'jobs:colour=red'], "'colour=red' is not one of max-retries"],
    [['--queue', 'jobs:max-retries=many'], "'many' is no whole number"],
    [['--queue', 'jobs:max-retries=101'], "'maxRetries' must be"],
    [['--queue', 'jobs:visibility-timeout=soon'], "'soon' is no duration"],
    [['--behaviour', 'colour=red'], 'it must be NAME=VALUE with one of jsonBodies'],
    [['--behaviour', 'order'], 'it must be NAME=VALUE'],
    [['--fault', 'failBefore'], 'it must be NAME=VALUE'],
    [['--fault', 'failBefore=7'], "'failBefore' must be a number in 0..1"],
    [['--api-token', 'a b'], "'apiToken' must be printable"],
    [['--port', '65536'], 'no port'],
    [['--port', 'x'], 'no count'],
    [['--config', '/nowhere/at.all'], 'ENOENT'],
    [['--host', '0.0.0.0'], 'choose a token'],
    [['--host', '::'], 'choose a token'],
    [['jobs'], 'too many arguments'],
  ])('exits with 2 for %j', async (parameters, message) => {
    const ran = await fails(...parameters);
    expect([ran.code, ran.stderr, ran.stdout]).toEqual([2, expect.stringContaining(message), '']);
  });

  it.each(['{', '[]', '{"colour":"red"}', '{"queues":[]}', '{"port":"x"}', '{"host":1}', '{"__proto__":{"port":1}}'])(
    'exits with 2 for a file with %s',
    async (text) => {
      const path = join(directory, 'serve.json');
      await writeFile(path, text);
      expect((await runCli(['serve', '--config', path])).code).toBe(2);
    },
  );

  it('exits with 2 for a file that is not UTF-8', async () => {
    const path = join(directory, 'serve.json');
    await writeFile(path, Buffer.from('{"apiToken":"caf\u00e9"}', 'latin1'));
    const ran = await runCli(['serve', '--config', path]);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('it is not UTF-8')]);
  });

  it('exits with 1 when the port is taken', async () => {
    const { baseUrl } = await serve();
    const ran = await fails('--port', new URL(baseUrl).port);
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining('EADDRINUSE')]);
  });

  it('listens where others can reach it, with a token of its own', async () => {
    const served = await serve('--host', '0.0.0.0', '--api-token', 'my-own', '--queue', 'jobs');
    expect(served.baseUrl).toMatch(/^http:\/\/127\.0\.0\.1:/);
    expect((await transportTo(served, 'jobs').metrics()).backlogCount).toBe(0);
  });
});

describe('the guard of a loopback address', () => {
  /** The status of a request with these headers, which `fetch` would not let us set. */
  const statusOf = async (headers: Readonly<Record<string, string>>, ...flags: readonly string[]): Promise<number> => {
    const { baseUrl, accountId, apiToken } = await serve(...flags);
    return new Promise((resolve, reject) => {
      const url = `${baseUrl}/accounts/${accountId}/queues`;
      request(url, { headers: { authorization: `Bearer ${apiToken}`, ...headers } }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      })
        .on('error', reject)
        .end();
    });
  };

  it.each([
    'evil.example',
    'evil.example:7878',
    '10.0.0.1',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '[::2]',
  ])('refuses the Host %s', async (host) => expect(await statusOf({ host })).toBe(403));

  it.each(['localhost', 'LOCALHOST:7878', 'queues.localhost', '127.1.2.3:1', '[::1]:7878'])(
    'takes the Host %s',
    async (host) => expect(await statusOf({ host })).toBe(200),
  );

  it('refuses the Origin of another site, and takes its own', async () => {
    const host = 'localhost:7878';
    for (const origin of ['http://evil.example', 'null', 'https://localhost:7878', 'http://localhost:1']) {
      expect(await statusOf({ host, origin })).toBe(403);
    }
    expect(await statusOf({ host, origin: 'http://localhost:7878' })).toBe(200);
  });

  it('takes the Origins that are allowed, whose pages may read the answers', async () => {
    const host = 'localhost:7878';
    const app = ['--allow-origin', 'https://app.example', '--allow-origin', 'http://localhost:5173'];
    expect(await statusOf({ host, origin: 'https://app.example' }, ...app)).toBe(200);
    expect(await statusOf({ host, origin: 'http://localhost:5173' }, ...app)).toBe(200);
    expect(await statusOf({ host, origin: 'http://evil.example' }, ...app)).toBe(403);
    const file = join(directory, 'config.json');
    await writeFile(file, JSON.stringify({ allowedOrigins: ['https://app.example'] }));
    const { baseUrl, accountId, apiToken } = await serve('--config', file);
    const headers = { authorization: `Bearer ${apiToken}`, origin: 'https://app.example' };
    const answer = await fetch(`${baseUrl}/accounts/${accountId}/queues`, { headers });
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example');
  });

  it('refuses to allow what is no origin', async () => {
    const { code, stderr } = await fails('--allow-origin', 'https://app.example/page');
    expect([code, stderr]).toEqual([2, expect.stringContaining("as 'https://app.example'")]);
    const file = join(directory, 'config.json');
    await writeFile(file, JSON.stringify({ allowedOrigins: 'https://app.example' }));
    expect((await fails('--config', file)).stderr).toContain(
      "Cannot read 'allowedOrigins': it must be a list of texts",
    );
  });
});
