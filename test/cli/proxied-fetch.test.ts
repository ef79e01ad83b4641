import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type BrokerServer, createBroker } from '../../src/broker.ts';
import { ConnectProxy } from '../proxies/connect-proxy.ts';
import { certificateFile, secureHost, SecureFront } from '../proxies/secure-front.ts';
import { BuiltCli } from './built-cli.ts';
import { environmentOf, type Ran, runCli } from './run-cli.ts';

let server: BrokerServer;

beforeEach(async () => {
  server = await createBroker({ queues: { jobs: {} } }).listen();
});

afterEach(() => server.close());

/** Runs a command that is to reach the service at a name that nobody knows but the proxy. */
const run = (environment: Readonly<Record<string, string>>, line = 'stats'): Promise<Ran> =>
  runCli(line.split(' '), {
    environment: { ...environmentOf(server), CLOUDFLARE_BASE_URL: `https://${secureHost}/client/v4`, ...environment },
  });

describe('a command behind a proxy', () => {
  let cli: BuiltCli;
  beforeAll(async () => {
    cli = await BuiltCli.build();
  }, 60_000);
  afterAll(() => cli.remove());

  /** Runs the shipped command line, and gives its exit code and what it printed. */
  const runBuilt = async (parameters: string, environment: Readonly<Record<string, string>>): Promise<string> => {
    const child = cli.spawn(parameters.split(' '), {
      ...environmentOf(server),
      CLOUDFLARE_BASE_URL: `https://${secureHost}/client/v4`,
      NODE_EXTRA_CA_CERTS: certificateFile,
      ...environment,
    });
    let text = '';
    for (const output of [child.stdout, child.stderr]) output?.setEncoding('utf8').on('data', (each) => (text += each));
    child.stdin?.end('{"id":1}\n');
    const code = await new Promise((resolve) => child.on('close', resolve));
    return `${String(code)} ${text}`;
  };

  it.each(['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'])(
    'reaches the service through that of %s',
    async (name) => {
      await using front = await SecureFront.before(server.baseUrl);
      await using proxy = await ConnectProxy.listen({ port: front.port });
      expect(await runBuilt('push jobs --quiet', { [name]: proxy.url() })).toBe('0 1 pushed\n');
      expect(new Set(proxy.requests.map(({ method, target }) => `${method} ${target}`))).toEqual(
        new Set([`CONNECT ${secureHost}:443`]),
      );
    },
  );

  it.each([
    ['user:pass', 'user:pass'],
    ['us%40er:100%25%3A', 'us@er:100%:'],
    ['user:100%', 'user:100%'],
    ['token', 'token:'],
    [':pass', ':pass'],
  ])('authenticates with %s', async (credential, meant) => {
    await using front = await SecureFront.before(server.baseUrl);
    await using proxy = await ConnectProxy.listen({ port: front.port });
    expect(await runBuilt('stats jobs', { HTTPS_PROXY: proxy.url(credential) })).toMatch(/^0 /);
    const authorization = `Basic ${Buffer.from(meant).toString('base64')}`;
    expect(new Set(proxy.requests.map((request) => request.authorization))).toEqual(new Set([authorization]));
  });

  it('reaches a broker without it, also where Node would not', async () => {
    await using proxy = await ConnectProxy.listen();
    const environment = { HTTP_PROXY: proxy.url(), NODE_USE_ENV_PROXY: '1', CLOUDFLARE_BASE_URL: server.baseUrl };
    expect(await runBuilt('stats jobs', environment)).toMatch(/^0 /);
    expect(proxy.requests).toEqual([]);
  });

  it('takes an address without a protocol for one of http', async () => {
    await using front = await SecureFront.before(server.baseUrl);
    await using proxy = await ConnectProxy.listen({ port: front.port });
    expect(await runBuilt('stats jobs', { HTTPS_PROXY: `user:pass@${proxy.host}` })).toMatch(/^0 /);
  });
});

describe('a command beside a proxy', () => {
  it.each(['127.0.0.1', 'localhost'])('reaches a broker on %s without it', async (host) => {
    await using proxy = await ConnectProxy.listen();
    const CLOUDFLARE_BASE_URL = server.baseUrl.replace('127.0.0.1', host);
    const ran = await run({ HTTP_PROXY: proxy.url(), HTTPS_PROXY: proxy.url(), CLOUDFLARE_BASE_URL });
    expect([ran.code, ran.stderr, proxy.requests]).toEqual([0, '', []]);
  });

  it('does not use it for what NO_PROXY names', async () => {
    await using proxy = await ConnectProxy.listen();
    const ran = await run({ HTTPS_PROXY: proxy.url(), NO_PROXY: `example.com, .test` });
    expect([ran.code, proxy.requests]).toEqual([1, []]);
    expect(ran.stderr).not.toContain('proxy');
  });

  it('does not use one whose variable in lower case is empty', async () => {
    await using proxy = await ConnectProxy.listen();
    await run({ HTTPS_PROXY: proxy.url(), https_proxy: '' });
    expect(proxy.requests).toEqual([]);
  });
});

describe('a command behind a proxy that refuses', () => {
  const secret = /sekret|c2Vrc|dXNlc|@127/i;
  const advice = (host: string): string => `It goes through the proxy ${host} of HTTPS_PROXY`;

  it.each([
    ['an answer', /answered with 407/, 'HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n'],
    ['another answer', /answered with 403/, 'HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno'],
    ['an end', /without an answer/, ''],
    ['nonsense', /no answer from queues\.test/, 'nonsense\r\n\r\n'],
    ['an end of the tunnel', /no answer from queues\.test/, 'HTTP/1.1 200 OK\r\n\r\n'],
  ])('by %s, names it, and asks it once', async (_, text, said) => {
    await using proxy = await ConnectProxy.listen({ refuse: (socket) => socket.end(said) });
    const ran = await run({ HTTPS_PROXY: proxy.url('user:sekret') });
    expect([ran.code, ran.stdout]).toEqual([1, '']);
    expect(ran.stderr).toMatch(text);
    expect(ran.stderr).toContain(advice(proxy.host));
    expect(ran.stderr).not.toMatch(secret);
    expect(proxy.requests).toHaveLength(1);
  });

  it('by no listening, names it', async () => {
    const gone = await ConnectProxy.listen();
    const HTTPS_PROXY = gone.url('user:sekret');
    await gone[Symbol.asyncDispose]();
    const ran = await run({ HTTPS_PROXY });
    expect(ran.stderr).toMatch(/ECONNREFUSED/);
    expect(ran.stderr).toContain(advice(gone.host));
    expect(ran.stderr).not.toMatch(secret);
  });

  it('says how to give a credential', async () => {
    const refuse = 'HTTP/1.1 407 Proxy Authentication Required\r\n\r\n';
    await using proxy = await ConnectProxy.listen({ refuse: (socket) => socket.end(refuse) });
    expect((await run({ HTTPS_PROXY: proxy.url() })).stderr).toMatch(/http:\/\/USER:PASSWORD@/);
  });

  it.each(['socks5://user:sekret@127.0.0.1:1', 'http://user:sekret@:8', 'http://user:sekret@127.0.0.1:99999', '://'])(
    'by an address that is none (%s), says so',
    async (HTTPS_PROXY) => {
      const ran = await run({ HTTPS_PROXY });
      expect(ran.code).toBe(2);
      expect(ran.stderr).toMatch(/proxy of HTTPS_PROXY/);
      expect(ran.stderr).not.toMatch(secret);
    },
  );
});
