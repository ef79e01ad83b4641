import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  findProxy,
  proxyHint,
  proxyingRuntime,
  type Runtime,
} from '../../../src/transports/cloudflare/environment-proxy.ts';
import { createCloudflareTransport } from '../../../src/transports/cloudflare/transport.ts';

type Variables = Readonly<Record<string, string>>;

const find = (address: string, variables: Variables, fallsBack = true) =>
  findProxy(new URL(address), (name) => variables[name], fallsBack);

describe('findProxy()', () => {
  const both = { HTTPS_PROXY: 'http://secure:1', HTTP_PROXY: 'http://plain:2' };

  it.each<[string, string, Variables, string | undefined]>([
    ['that of the protocol: https', 'https://a.test', both, 'HTTPS_PROXY'],
    ['that of the protocol: http', 'http://a.test', both, 'HTTP_PROXY'],
    [
      'that of http for https, when there is no other',
      'https://a.test',
      { HTTP_PROXY: 'http://plain:2' },
      'HTTP_PROXY',
    ],
    ['that of https for nothing else', 'http://a.test', { HTTPS_PROXY: 'http://secure:1' }, undefined],
    ['the name in lower case first', 'https://a.test', { ...both, https_proxy: 'lower:3' }, 'https_proxy'],
    ['none, where none is named', 'https://a.test', { ALL_PROXY: 'http://all:1' }, undefined],
    ['no empty one', 'https://a.test', { HTTPS_PROXY: ' ' }, undefined],
    ['the other one when it is empty', 'https://a.test', { ...both, https_proxy: '' }, 'HTTP_PROXY'],
  ])('finds %s', (_, address, variables, variable) => {
    expect(find(address, variables)?.variable).toBe(variable);
  });

  it('does not take that of http for https unless it is told to', () => {
    expect(find('https://a.test', { HTTP_PROXY: 'http://plain:2' }, false)).toBeUndefined();
  });

  it.each([
    ['http://a:1', 'http://a:1/'],
    ['a:1', 'http://a:1/'],
    [' user:pass@a:1\n', 'http://user:pass@a:1/'],
    ['https://a', 'https://a/'],
    ['http://', undefined],
    ['a b', undefined],
  ])('reads the address %j', (HTTPS_PROXY, href) => {
    expect(find('https://a.test', { HTTPS_PROXY })).toMatchObject({ variable: 'HTTPS_PROXY' });
    expect(find('https://a.test', { HTTPS_PROXY })?.url?.href).toBe(href);
  });

  it.each([
    ['https://a.b.test', 'a.b.test'],
    ['https://a.b.test', 'A.B.Test'],
    ['https://a.b.test', 'b.test'],
    ['https://a.b.test', '.b.test'],
    ['https://a.b.test', '*.b.test'],
    ['https://a.b.test', 'x.test, ,a.b.test'],
    ['https://a.b.test', 'x.test a.b.test'],
    ['https://a.b.test', '*'],
    ['https://a.b.test', 'x.test,*'],
    ['https://a.b.test', 'a.b.test:443'],
    ['https://a.b.test:8443', 'a.b.test:8443'],
    ['https://a.b.test:8443', 'a.b.test'],
    ['http://127.0.0.1:7878', '127.0.0.1'],
    ['http://127.0.0.1:7878', '127.0.0.1:7878'],
    ['http://[::1]:7878', '::1'],
    ['http://[::1]:7878', '[::1]'],
    ['http://[::1]:7878', '[::1]:7878'],
  ])('finds none for %s where NO_PROXY is %j', (address, NO_PROXY) => {
    expect(find(address, { ...both, NO_PROXY })).toBeUndefined();
  });

  it.each([
    ['https://a.b.test', ''],
    ['https://a.b.test', ','],
    ['https://a.b.test', '.'],
    ['https://a.b.test', 'x.a.b.test'],
    ['https://ab.test', 'b.test'],
    ['https://a.b.test', 'a.b.test:80'],
    ['https://a.b.test:8443', 'a.b.test:443'],
    ['http://127.0.0.1:7878', 'localhost'],
    // Not every program knows ranges, and these are for names.
    ['http://127.0.0.1:7878', '127.0.0.0/8'],
    ['http://[::1]:7878', '::2'],
  ])('finds one for %s where NO_PROXY is %j', (address, NO_PROXY) => {
    expect(find(address, { ...both, NO_PROXY })).toBeDefined();
  });

  it('goes by no_proxy where there are both', () => {
    expect(find('https://a.test', { ...both, NO_PROXY: 'a.test', no_proxy: 'b.test' })).toBeDefined();
  });
});

describe('proxyHint()', () => {
  it.each([
    ['http://user:sekret@proxy.test:3128', 'the proxy proxy.test:3128 of HTTPS_PROXY:'],
    ['proxy.test', 'the proxy proxy.test:80 of HTTPS_PROXY:'],
    ['https://proxy.test', 'the proxy proxy.test:443 of HTTPS_PROXY:'],
    ['http://[::1]:1', 'the proxy [::1]:1 of HTTPS_PROXY:'],
    ['user:sekret@ proxy', 'the proxy of HTTPS_PROXY:'],
  ])('names %s without its credential', (HTTPS_PROXY, text) => {
    const target = new URL('https://a.test/client/v4');
    const hint = proxyHint(
      findProxy(target, (name) => ({ HTTPS_PROXY })[name], false)!,
      target,
    );
    expect(hint).toContain(text);
    expect(hint).not.toMatch(/sekret|user/);
  });
});

describe('proxyingRuntime()', () => {
  const node = (...flags: string[]): Runtime => ({
    process: { execArgv: flags, allowedNodeEnvironmentFlags: new Set(['--use-env-proxy']) },
  });
  it.each<[string, Runtime, Variables, string | undefined]>([
    ['Bun', { Bun: {}, ...node() }, {}, 'other'],
    ['Deno', { Deno: {}, ...node() }, {}, 'other'],
    ['Node', node(), {}, undefined],
    ['Node with the variable', node(), { NODE_USE_ENV_PROXY: '1' }, 'node'],
    ['Node with the variable at 0', node(), { NODE_USE_ENV_PROXY: '0' }, undefined],
    ['Node with the flag', node('--use-env-proxy'), {}, 'node'],
    ['Node with the flag among its options', node(), { NODE_OPTIONS: '--no-warnings --use-env-proxy' }, 'node'],
    ['an older Node', { process: { allowedNodeEnvironmentFlags: new Set() } }, { NODE_USE_ENV_PROXY: '1' }, undefined],
    ['what has no process', {}, { NODE_USE_ENV_PROXY: '1' }, undefined],
  ])('knows %s', (_, runtime, variables, expected) => {
    expect(proxyingRuntime((name) => variables[name], runtime)).toBe(expected);
  });
});

describe('a transport where the runtime goes through proxies', () => {
  const connection = { accountId: 'a', queueId: 'q', apiToken: 'token-1', baseUrl: 'http://127.0.0.1:7878/client/v4' };
  const advice = 'It goes through the proxy proxy.test:3128 of HTTP_PROXY: check';
  const failing = () => Promise.reject(new TypeError('Unable to connect. Is the computer able to access the url?'));
  const answering = (status: number) => () => Promise.resolve(new Response('<h1>no</h1>', { status }));

  const failure = async (fetch: () => Promise<Response>, options = {}): Promise<string> => {
    vi.stubGlobal('fetch', fetch);
    vi.stubEnv('HTTP_PROXY', 'http://user:sekret@proxy.test:3128');
    vi.stubEnv('http_proxy', undefined);
    const error: unknown = await createCloudflareTransport({ ...connection, ...options })
      .metrics()
      .catch((each: unknown) => each);
    return String(error);
  };

  afterEach(() => vi.unstubAllGlobals());

  it('names the proxy where there is no answer', async () => {
    vi.stubGlobal('Deno', {});
    const text = await failure(failing);
    expect(text).toContain(`access the url? ${advice} that it is up`);
    expect(text).toContain('name 127.0.0.1 in NO_PROXY.');
    expect(text).not.toMatch(/sekret|user/);
  });

  it.each([502, 503, 429, 403, 407, 404])('names the proxy where %i is not of the service', async (status) => {
    vi.stubGlobal('Deno', {});
    expect(await failure(answering(status))).toContain(advice);
  });

  it('names none where the runtime takes no notice of it', async () => {
    expect(await failure(failing)).not.toContain('proxy');
    expect(await failure(answering(502))).not.toContain('proxy');
  });

  it('names none where NO_PROXY has the host', async () => {
    vi.stubGlobal('Deno', {});
    vi.stubEnv('NO_PROXY', 'localhost,127.0.0.1');
    expect(await failure(failing)).not.toContain('proxy');
  });

  it('names none where the answer is the service’s, or the fetch the user’s', async () => {
    vi.stubGlobal('Deno', {});
    const errors = [{ code: 10_000, message: 'no' }];
    const refused = () => Promise.resolve(Response.json({ success: false, errors, result: null }, { status: 403 }));
    expect(await failure(refused)).not.toContain('proxy');
    expect(await failure(failing, { fetch: failing })).not.toContain('proxy');
  });
});
