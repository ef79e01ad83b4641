import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/contract/system-clock.ts';
import { type CloudflareTransportOptions, resolveConnection } from '../../../src/transports/cloudflare/options.ts';
import { createCloudflareTransport } from '../../../src/transports/cloudflare/transport.ts';

const given = { accountId: 'account-1', queueId: 'queue_1', apiToken: 'token-1' };
const nothing = {};

function resolve(options: object, environment = nothing) {
  return resolveConnection(options as CloudflareTransportOptions, environment);
}

describe('resolveConnection()', () => {
  it('takes what is given', () => {
    const fetch = () => Promise.reject(new Error('unused'));
    const clock = { ...systemClock };
    const http = { onRequest: [() => undefined], onResponse: () => undefined };
    expect(resolve({ ...given, baseUrl: 'https://api.example/v4', fetch, http, clock })).toStrictEqual({
      accountId: 'account-1',
      queueId: 'queue_1',
      baseUrl: 'https://api.example/v4',
      authHeaders: { authorization: 'Bearer token-1' },
      secrets: ['token-1'],
      fetch,
      http,
      clock,
      wayHint: '',
    });
  });
  it('takes an e-mail and a key', () => {
    const { authHeaders, secrets } = resolve({ ...given, apiToken: undefined, email: 'a@b.c', apiKey: 'key-1' });
    expect(authHeaders).toStrictEqual({ 'x-auth-email': 'a@b.c', 'x-auth-key': 'key-1' });
    expect(secrets).toStrictEqual(['a@b.c', 'key-1']);
  });

  const environment = {
    CLOUDFLARE_ACCOUNT_ID: 'env-account',
    CLOUDFLARE_API_TOKEN: 'env-token\n',
    CLOUDFLARE_EMAIL: 'env@b.c',
    CLOUDFLARE_API_KEY: 'env-key',
    CLOUDFLARE_BASE_URL: 'https://env.example/v4/',
  };
  it('completes it from the environment', () => {
    expect(resolve({ queueId: 'q' }, environment)).toMatchObject({
      accountId: 'env-account',
      baseUrl: 'https://env.example/v4',
      authHeaders: { authorization: 'Bearer env-token' },
    });
  });
  it('lets what is given win', () => {
    expect(resolve({ ...given, baseUrl: 'https://api.example' }, environment)).toMatchObject({
      accountId: 'account-1',
      baseUrl: 'https://api.example',
      authHeaders: { authorization: 'Bearer token-1' },
    });
  });
  it('does not mix a given key with a token of the environment', () => {
    expect(resolve({ queueId: 'q', apiKey: 'key' }, environment).authHeaders).toStrictEqual({
      'x-auth-email': 'env@b.c',
      'x-auth-key': 'key',
    });
  });
  it('takes e-mail and key of an environment without a token; empty counts as absent', () => {
    const { authHeaders } = resolve({ queueId: 'q' }, { ...environment, CLOUDFLARE_API_TOKEN: ' ' });
    expect(authHeaders).toStrictEqual({ 'x-auth-email': 'env@b.c', 'x-auth-key': 'env-key' });
  });
  it('reads the environment of the process, once', async () => {
    vi.stubEnv('CLOUDFLARE_ACCOUNT_ID', 'first');
    vi.stubEnv('CLOUDFLARE_API_TOKEN', 'first-token');
    vi.stubEnv('CLOUDFLARE_BASE_URL', '');
    const seen: string[] = [];
    const fetch = (url: string, { headers }: { headers: Headers }) => {
      seen.push(url, headers.get('authorization') ?? '');
      return Promise.resolve(Response.json({ success: true }));
    };
    const transport = createCloudflareTransport({ queueId: 'q', fetch });
    vi.stubEnv('CLOUDFLARE_ACCOUNT_ID', 'second');
    vi.stubEnv('CLOUDFLARE_API_TOKEN', 'second-token');
    await transport.push({ body: 1 });
    expect(seen).toStrictEqual([
      'https://api.cloudflare.com/client/v4/accounts/first/queues/q/messages',
      'Bearer first-token',
    ]);
  });
  it('works where there is no process, and where its environment may not be read', () => {
    const denied = new Proxy(
      {},
      {
        get() {
          throw new Error('denied');
        },
      },
    );
    expect(resolve({ ...given }, denied).baseUrl).toBe('https://api.cloudflare.com/client/v4');
    vi.stubGlobal('process', undefined);
    expect(resolveConnection(given).accountId).toBe('account-1');
  });
  it('trims what was pasted with white space around it', () => {
    const padded = {
      accountId: ' account-1\n',
      queueId: '\tqueue_1 ',
      apiToken: 'token-1\r\n',
      baseUrl: ' https://a.b/ ',
    };
    expect(resolve(padded)).toMatchObject({
      accountId: 'account-1',
      queueId: 'queue_1',
      secrets: ['token-1'],
      baseUrl: 'https://a.b',
    });
  });
  it('looks the default fetch up at each call', async () => {
    const transport = createCloudflareTransport(given);
    const fetch = vi.fn(() => Promise.resolve(Response.json({ success: true })));
    vi.stubGlobal('fetch', fetch);
    await transport.push({ body: 1 });
    expect(fetch).toHaveBeenCalledOnce();
  });

  it.each([
    ['https://api.example', 'https://api.example'],
    ['https://api.example/', 'https://api.example'],
    ['https://api.example/a/b//', 'https://api.example/a/b'],
    ['http://localhost:8787', 'http://localhost:8787'],
    ['http://broker.localhost/v4', 'http://broker.localhost/v4'],
    ['http://127.0.0.1:1', 'http://127.0.0.1:1'],
    ['http://127.255.3.4', 'http://127.255.3.4'],
    ['http://[::1]:80/x', 'http://[::1]/x'],
    ['HTTPS://API.example', 'https://api.example'],
  ])('takes the address %s', (baseUrl, expected) => {
    expect(resolve({ ...given, baseUrl }).baseUrl).toBe(expected);
  });

  const rule = "must be an id of letters, digits, '_' and '-': current value is";
  it.each([
    ['no options', undefined, "'options' must be an object: current value is undefined"],
    ['no account', { ...given, accountId: undefined }, `${rule} undefined`],
    ['an empty account', { ...given, accountId: '' }, `${rule} ''`],
    ['a path for an account', { ...given, accountId: '../x' }, `${rule} '../x'`],
    ['a number for an account', { ...given, accountId: 5 }, `'accountId' (or`],
    ['no queue', { ...given, queueId: undefined }, `Cannot open a queue as 'queueId' ${rule} undefined`],
    ['a space in a queue', { ...given, queueId: 'my queue' }, `'queueId' ${rule} 'my queue'`],
    ['a line break in a queue', { ...given, queueId: 'a\nb' }, String.raw`'a\nb'`],
    ['a long text for a queue', { ...given, queueId: `${'x'.repeat(90)}/` }, `${rule} '${'x'.repeat(80)}…'`],
    ['an object for a queue', { ...given, queueId: {} }, `${rule} of type Object`],
    ['another script', { ...given, queueId: 'очередь' }, `${rule} 'очередь'`],
    ['no credential', { ...given, apiToken: undefined }, "'apiToken', or 'email' and 'apiKey', must be given"],
    ['an empty token', { ...given, apiToken: '' }, "'apiToken' must be a text of printable ASCII characters"],
    ['an e-mail alone', { ...given, apiToken: undefined, email: 'a@b.c' }, "'apiKey' must be a text"],
    ['a key alone', { ...given, apiToken: undefined, apiKey: 'k' }, "'email' must be a text"],
    ['a token and a key', { ...given, apiKey: 'k' }, "'apiToken' must not be given together"],
    ['no URL', { ...given, baseUrl: 'api.example' }, "'baseUrl' must be an https URL"],
    ['an empty URL', { ...given, baseUrl: '' }, "'baseUrl' must be an https URL"],
    ['another protocol', { ...given, baseUrl: 'ftp://api.example' }, 'current value is of protocol ftp:'],
    ['clear text', { ...given, baseUrl: 'http://api.example/v4' }, 'in clear: current value is http://api.example'],
    ['clear text to a lookalike', { ...given, baseUrl: 'http://localhost.example' }, 'in clear'],
    ['clear text to another one', { ...given, baseUrl: 'http://127.0.0.1.example' }, 'in clear'],
    ['clear text to all addresses', { ...given, baseUrl: 'http://0.0.0.0' }, 'in clear'],
    ['a query', { ...given, baseUrl: 'https://api.example?x=1' }, 'must have no query'],
    ['an empty query', { ...given, baseUrl: 'https://api.example/?' }, 'must have no query'],
    ['a fragment', { ...given, baseUrl: 'https://api.example#x' }, 'must have no query and no fragment'],
    ['no function', { ...given, fetch: 'fetch' }, "'fetch' must be a function: current value is 'fetch'"],
  ])('refuses %s', (_, options, message) => {
    const run = () => resolve(options as object);
    expect(run).toThrow(TypeError);
    expect(run).toThrow('Cannot open a queue as ');
    expect(run).toThrow(message);
  });

  it.each([
    [{ apiToken: 'secret\nvalue' }],
    [{ apiToken: 'secret value' }],
    [{ apiToken: 'secret-\u0100' }],
    [{ apiToken: 'secret-é' }],
    [{ apiToken: ['secret'] }],
    [{ email: 'secret\u0000', apiKey: 'secret' }],
    [{ email: 'secret@x', apiKey: 'secret\r\nx: y' }],
    [{ apiToken: 'secret', apiKey: 'secret' }],
    [{ apiToken: 'x', baseUrl: 'https://user:secret@api.example' }],
    [{ apiToken: 'x', baseUrl: 'https://secret@api.example' }],
    [{ apiToken: 'x', baseUrl: 'https://api.example/?token=secret' }],
    [{ apiToken: 'x', baseUrl: '//user:secret@api.example' }],
    [{ apiToken: 'x', baseUrl: 'http://user:secret@api.example' }],
  ])('never shows a credential: %j', (options) => {
    let error: unknown;
    try {
      resolve({ accountId: 'a', queueId: 'q', ...options });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(TypeError);
    expect(String((error as Error).stack)).not.toContain('secret');
  });
});
