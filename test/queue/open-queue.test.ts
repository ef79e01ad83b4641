import { describe, expect, it, vi } from 'vitest';
import { createBroker, ManualClock } from '../../src/broker.ts';
import { openQueue } from '../../src/index.ts';
import { pushLimitOf } from '../../src/queue/queue-options.ts';

const secret = 'very-secret-token';
const connection = { accountId: 'account', queueId: 'queue', apiToken: secret };

const open = (options: unknown) => (): unknown => openQueue(options as Parameters<typeof openQueue>[0]);

describe('openQueue()', () => {
  it('makes no request', () => {
    const fetch = vi.fn();
    openQueue({ ...connection, fetch });
    expect(fetch).not.toHaveBeenCalled();
  });

  it.each<[string, unknown]>([
    ['options', undefined],
    ['options', null],
    ['options', 'queue'],
    ['queueName', { ...connection, queueName: 5 }],
    ['random', { ...connection, random: 1 }],
    ['schema', { ...connection, schema: {} }],
    ['schema', { ...connection, schema: null }],
    ['clock', { ...connection, clock: {} }],
    ['transport', { transport: {} }],
    ['transport', { transport: null }],
    ['accountId', { ...connection, accountId: 'a/b' }],
    ['queueId', { ...connection, queueId: '' }],
    ['queueId', { ...connection, queueId: 5 }],
    ['fetch', { ...connection, fetch: {} }],
    ['baseUrl', { ...connection, baseUrl: 'http://example.com' }],
    ['baseUrl', { ...connection, baseUrl: `https://user:${secret}@example.com` }],
    ['apiToken', { ...connection, apiToken: `${secret} with spaces` }],
    ['apiToken', { ...connection, apiToken: `${secret}\n\u00e9` }],
    ['apiToken', { ...connection, email: 'a@b.c', apiKey: secret }],
    ['apiKey', { accountId: 'a', queueId: 'q', email: 'a@b.c', apiKey: `${secret}\u0000` }],
    ['pushLimit.requests', { ...connection, pushLimit: { requests: '1', perMs: 1 } }],
  ])('throws a TypeError that names %s, and no credential: %#', (name, options) => {
    expect(open(options)).toThrow(TypeError);
    expect(open(options)).toThrow(`'${name}'`);
    expect(open(options)).not.toThrow(secret);
  });

  it.each([
    { requests: 0, perMs: 1 },
    { requests: 1, perMs: 0 },
    { requests: 1.5, perMs: 1 },
  ])('throws a RangeError for the push limit %o', (pushLimit) => {
    expect(open({ ...connection, pushLimit })).toThrow(RangeError);
  });

  it('takes what is missing from the environment', async () => {
    vi.stubEnv('CLOUDFLARE_ACCOUNT_ID', 'from-env');
    vi.stubEnv('CLOUDFLARE_API_TOKEN', 'env-token');
    vi.stubEnv('CLOUDFLARE_BASE_URL', 'https://env.example/v4');
    const fetch = vi.fn(async (_url: string, _init: RequestInit) =>
      Response.json({ success: true, errors: [], messages: [], result: { backlog_count: 1, backlog_bytes: 2 } }),
    );
    expect(await openQueue({ queueId: 'q', fetch }).metrics()).toMatchObject({ backlogCount: 1, backlogBytes: 2 });
    const [url, init] = fetch.mock.calls[0] ?? [];
    expect(url).toBe('https://env.example/v4/accounts/from-env/queues/q/metrics');
    expect(new Headers(init?.headers).get('authorization')).toBe('Bearer env-token');
  });

  it('says which variables it looked for', () => {
    vi.stubEnv('CLOUDFLARE_ACCOUNT_ID', '');
    vi.stubEnv('CLOUDFLARE_API_TOKEN', '');
    vi.stubEnv('CLOUDFLARE_EMAIL', '');
    vi.stubEnv('CLOUDFLARE_API_KEY', '');
    expect(open({ queueId: 'q', apiToken: 't' })).toThrow('CLOUDFLARE_ACCOUNT_ID');
    expect(open({ queueId: 'q', accountId: 'a' })).toThrow('CLOUDFLARE_API_TOKEN');
  });

  it.each([
    ['clock', { setTimer: () => 1, now: () => 1 }, 'a Clock'],
    ['clock', null, 'a Clock'],
    ['transport', { push: () => 1 }, 'a QueueTransport'],
  ])('refuses a %s that lacks a method at once: %o', (name, value, must) => {
    const transport = createBroker({ clock: new ManualClock() }).transport('jobs');
    expect(open({ transport, [name]: value })).toThrow(`Cannot open a queue as '${name}' must be ${must}: `);
  });

  it('reads metrics within the time and the signal that it is given, whatever the transport does', async () => {
    const clock = new ManualClock();
    const transport = createBroker({ clock }).transport('jobs');
    transport.metrics = () => new Promise(() => undefined);
    const queue = openQueue({ transport, clock });
    const late = clock.runUntil(queue.metrics({ timeoutMs: 1_000 }));
    await expect(late).rejects.toMatchObject({ code: 'timeout' });
    expect(clock.monotonic()).toBe(1_000);
    const controller = new AbortController();
    const ended = queue.metrics({ signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(ended).rejects.toThrow('enough');
    await expect(queue.metrics({ signal: 5 as never })).rejects.toThrow(
      "Cannot read metrics as 'signal' must be an AbortSignal: current value is 5",
    );
    expect(clock.pendingTimers).toBe(0);
  });

  it('takes what a broker gives, with its clock', async () => {
    const clock = new ManualClock();
    const broker = createBroker({ clock });
    const queue = openQueue<{ n: number }>({ ...broker.queue('jobs') });
    await clock.runUntil(queue.send({ n: 1 }));
    const work = async (): Promise<unknown[]> => {
      const seen: unknown[] = [];
      for await (const { body } of queue.consume({ stopWhenEmpty: true })) seen.push(body.n);
      return seen;
    };
    expect(await clock.runUntil(work())).toEqual([1]);
    expect(await clock.runUntil(queue.metrics())).toMatchObject({ backlogCount: 0 });
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('pushLimitOf()', () => {
  const limit = { requests: 5, perMs: 10 };

  it.each([
    [undefined, 'https://api.cloudflare.com/client/v4', { requests: 1_200, perMs: 300_000 }],
    [undefined, 'https://broker.invalid/client/v4', undefined],
    [undefined, undefined, undefined],
    [false as const, 'https://api.cloudflare.com/client/v4', undefined],
    [limit, undefined, limit],
    [limit, 'https://api.cloudflare.com/client/v4', limit],
  ])('of %o at %s is %o', (given, baseUrl, expected) => {
    expect(pushLimitOf(given, baseUrl)).toEqual(expected);
  });
});
