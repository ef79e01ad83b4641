import type { FetchHook, FetchHooks } from 'ofetch';
import { describe, expect, it, vi } from 'vitest';
import { QueueError } from '../../../src/contract/errors.ts';
import type { HttpHookContext, HttpHooks } from '../../../src/transports/cloudflare/http-hooks.ts';
import { answer, RawServer } from '../../contract-suites/raw-server.ts';
import { everythingIn } from './everything-in.ts';
import { fakeFetch, ok, openTransport, rejection, token } from './fake-fetch.ts';
import { ManualClock } from './manual-clock.ts';

const empty = { messages: [] };

const unhandled = vi.fn();
process.on('unhandledRejection', unhandled);

/** Hooks that note what they were called with. */
function noting(): { hooks: HttpHooks; calls: string[]; contexts: HttpHookContext[] } {
  const calls: string[] = [];
  const contexts: HttpHookContext[] = [];
  const note = (name: string) => (context: HttpHookContext) => {
    calls.push(name);
    contexts.push(context);
  };
  const hooks = {
    onRequest: note('onRequest'),
    onRequestError: note('onRequestError'),
    onResponse: note('onResponse'),
    onResponseError: note('onResponseError'),
  };
  return { hooks, calls, contexts };
}

function throwIt(thrown: unknown): never {
  throw thrown;
}

describe('the hooks of a queue', () => {
  it('see a request with its credential, and its answer', async () => {
    const { hooks, calls, contexts } = noting();
    await openTransport({ fetch: fakeFetch(() => ok(empty)).fetch, http: hooks }).pull({});
    expect(calls).toEqual(['onRequest', 'onResponse']);
    const [context] = contexts;
    expect(context?.request).toMatch(/\/messages\/pull$/);
    expect(context?.options.method).toBe('POST');
    expect(context?.options.body).toBe('{}');
    expect(context?.options.headers.get('authorization')).toBe(`Bearer ${token}`);
    expect(context?.response?.status).toBe(200);
    expect(context?.response?.ok).toBe(true);
    expect(JSON.parse(String(context?.response?._data))).toMatchObject({ result: empty });
  });

  it('see the headers of an answer that came over the own wire', async () => {
    const seen: (string | null | undefined)[] = [];
    const http: HttpHooks = {
      onResponse: ({ response }) => seen.push(response?.headers.get('cf-ray'), response?.headers.get('x-own')),
    };
    const body = JSON.stringify({ success: true, errors: [], messages: [], result: empty });
    await using server = await RawServer.listen((socket) => {
      socket.write(answer(body, { headers: 'CF-Ray: 1\r\nX-Own: 2\r\n' }));
    });
    await openTransport({ baseUrl: server.url, http }).pull({});
    expect(seen).toEqual(['1', '2']);
  });

  it('see what a fetch of little more than a status answers', async () => {
    const seen: unknown[] = [];
    const http: HttpHooks = {
      onResponse: ({ response }) => seen.push(response?.headers.get('retry-after'), response?.headers.get('x-own')),
    };
    const headers = { get: (name: string) => (name === 'retry-after' ? '3' : null) };
    const fetch = () => Promise.resolve({ status: 429, headers, text: () => Promise.resolve('') });
    const failed = rejection(openTransport({ fetch, http }).pull({}));
    expect(await failed).toMatchObject({ code: 'rate-limited', retryAfterMs: 3_000 });
    expect(seen).toEqual(['3', null]);
  });

  it('see an answer of a failure, and its error', async () => {
    const { hooks, calls } = noting();
    const fetch = fakeFetch(() => new Response('<h1>Down</h1>', { status: 503 })).fetch;
    expect(await rejection(openTransport({ fetch, http: hooks }).pull({}))).toMatchObject({ code: 'service-failed' });
    expect(calls).toEqual(['onRequest', 'onResponse', 'onResponseError']);
  });

  it('see a request that got no answer', async () => {
    const { hooks, calls, contexts } = noting();
    const fetch = () => Promise.reject(new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') }));
    const failed = await rejection(openTransport({ fetch, http: hooks }).pull({}));
    expect(failed).toMatchObject({
      code: 'network',
      message: 'Cannot pull: no answer from api.cloudflare.com: fetch failed: ECONNREFUSED',
    });
    expect(calls).toEqual(['onRequest', 'onRequestError']);
    expect(contexts[1]?.error).toMatchObject({ message: 'fetch failed' });
  });

  it.each([204, 302, 0])('see an answer of status %i', async (status) => {
    const { hooks, calls } = noting();
    const fetch = () => Promise.resolve({ status, headers: new Headers(), text: () => Promise.resolve('') });
    expect(await rejection(openTransport({ fetch, http: hooks }).pull({}))).toMatchObject({ code: 'bad-answer' });
    expect(calls).toEqual(['onRequest', 'onResponse']);
  });

  it('may change the request, as may several, one after another', async () => {
    const { fetch, sent } = fakeFetch(() => ok(empty));
    const add = (value: string) => async (context: HttpHookContext) => {
      await Promise.resolve();
      context.options.headers.append('x-trace', value);
    };
    await openTransport({ fetch, http: { onRequest: [add('a'), add('b')] } }).pull({});
    expect(sent[0]?.headers.get('x-trace')).toBe('a, b');
    await openTransport({ fetch, http: { onRequest: (context) => void (context.request += '?a=b') } }).pull({});
    expect(sent[1]?.url).toMatch(/\/pull\?a=b$/);
    expect(sent[1]?.headers.has('x-trace')).toBe(false);
  });

  it('may replace the text of an answer', async () => {
    const http: HttpHooks = {
      onResponse: ({ response }) => {
        if (response)
          response._data = String(response._data).replace(
            '"messages":[]}}',
            '"message_backlog_count":7,"messages":[]}}',
          );
      },
    };
    const { fetch } = fakeFetch(() => ok(empty));
    expect(await openTransport({ fetch, http }).pull({})).toEqual({ messages: [], backlogCount: 7 });
  });

  it('change nothing of what is the library’s', async () => {
    const inits: object[] = [];
    const { fetch } = fakeFetch(() => new Response('', { status: 500 }));
    const spying: typeof fetch = (url, init) => {
      inits.push(init);
      return fetch(url, init);
    };
    const onRequest = ({ options }: HttpHookContext): void => {
      const other = { retry: 3, timeout: 1, redirect: 'follow', signal: undefined, responseType: 'blob' };
      Object.assign(options, other, { ignoreResponseError: false, priority: 'low' });
    };
    const failed = await rejection(openTransport({ fetch: spying, http: { onRequest } }).pull({}));
    expect(failed).toMatchObject({ code: 'service-failed' });
    expect(inits).toHaveLength(1);
    expect(inits[0]).toMatchObject({ redirect: 'manual', signal: expect.any(AbortSignal), priority: 'low' });
    expect(Object.keys(inits[0] ?? {}).toSorted()).toEqual(
      ['body', 'headers', 'method', 'priority', 'redirect', 'signal'].toSorted(),
    );
  });

  it('are those of ofetch, by their types', () => {
    const onRequest: FetchHook = ({ options }) => options.headers.set('a', 'b');
    const hooks = { onRequest } satisfies FetchHooks;
    expect(openTransport({ http: hooks })).toBeDefined();
  });
});

describe('a hook that fails', () => {
  const boom = new Error(`no ${token}`);
  const throwing = () => {
    throw boom;
  };

  it('before the request lets none be made', async () => {
    const { fetch, sent } = fakeFetch(() => ok(empty));
    const failed = await rejection(openTransport({ fetch, http: { onRequest: throwing } }).push({ body: 1 }));
    expect(failed).toMatchObject({
      name: 'QueueError',
      code: 'transport-failed',
      status: undefined,
      message: "Cannot push: the hook 'http.onRequest' failed: no [redacted]",
    });
    expect(everythingIn(failed)).not.toContain(token);
    expect(sent).toEqual([]);
  });

  it.each(['onResponse', 'onResponseError', 'onRequestError'] as const)('is named: %s', async (name) => {
    const answers = {
      onResponse: () => ok(empty),
      onResponseError: () => new Response('', { status: 400 }),
      onRequestError: () => Promise.reject(new Error('gone')),
    };
    const { fetch } = fakeFetch(answers[name]);
    const failed = await rejection(openTransport({ fetch, http: { [name]: () => Promise.reject(boom) } }).pull({}));
    expect(failed).toMatchObject({ code: 'transport-failed' });
    expect((failed as Error).message).toContain(`'http.${name}' failed`);
    expect((failed as QueueError).status).toBe(name === 'onResponse' ? 200 : undefined);
    expect(everythingIn(failed)).not.toContain(token);
  });

  it('tells by a QueueError what its failure means', async () => {
    const onRequest = () => Promise.reject(new QueueError('the vault sleeps', { code: 'network' }));
    const { fetch } = fakeFetch(() => ok(empty));
    expect(await rejection(openTransport({ fetch, http: { onRequest } }).pull({}))).toMatchObject({
      code: 'network',
      message: "Cannot pull: the hook 'http.onRequest' failed: the vault sleeps",
    });
  });

  it.each([undefined, null, 'text', 0])('may throw anything: %j', async (thrown) => {
    const onRequest = () => throwIt(thrown);
    const { fetch } = fakeFetch(() => ok(empty));
    const failed = await rejection(openTransport({ fetch, http: { onRequest } }).pull({}));
    expect(failed).toMatchObject({ code: 'transport-failed' });
  });
});

describe('a hook that never ends', () => {
  it.each(['onRequest', 'onResponse'] as const)('takes no longer than the call: %s', async (name) => {
    const clock = new ManualClock();
    const { fetch, sent } = fakeFetch(() => ok(empty));
    let finish: () => void = () => undefined;
    const hook = () =>
      new Promise<void>((resolve) => {
        finish = resolve;
      });
    const transport = openTransport({ fetch, clock, http: { [name]: hook } });
    const failed = rejection(transport.push({ body: 1 }, { timeoutMs: 1_000 }));
    await new Promise(setImmediate);
    clock.advance(1_000);
    expect(await failed).toMatchObject({
      code: 'timeout',
      status: name === 'onResponse' ? 200 : undefined,
      message: `Cannot push: no whole answer within 1000 ms. The hook 'http.${name}' had not ended.`,
    });
    // What was told to have failed is not sent afterwards.
    finish();
    await new Promise(setImmediate);
    expect(sent).toHaveLength(name === 'onResponse' ? 1 : 0);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it('is left by an abort', async () => {
    const controller = new AbortController();
    const http = { onRequest: () => new Promise(() => undefined) };
    const failed = rejection(openTransport({ http }).pull({}, { signal: controller.signal }));
    controller.abort('enough');
    expect(await failed).toBe('enough');
  });
});

describe('the option http', () => {
  it.each<[string, unknown, string]>([
    ['no object', 5, "Cannot open a queue as 'http' must be an object: current value is 5"],
    ['null', null, "Cannot open a queue as 'http' must be an object: current value is null"],
    [
      'an unknown hook',
      { onRequst: () => undefined },
      "Cannot open a queue as 'http' must be an object of onRequest, onRequestError, onResponse, onResponseError: current value is 'onRequst'",
    ],
    [
      'a hook that is no function',
      { onRequest: 'log' },
      "Cannot open a queue as 'http.onRequest' must be a function or a list of functions: current value is 'log'",
    ],
    [
      'a list with something else in it',
      { onResponse: [() => undefined, 1] },
      "Cannot open a queue as 'http.onResponse' must be a function or a list of functions: current value is of type Array",
    ],
  ])('refuses %s', (_, http, message) => {
    expect(() => openTransport({ http: http as HttpHooks })).toThrow(new TypeError(message));
  });

  it('takes hooks that are left out', () => {
    expect(openTransport({ http: { onRequest: undefined } as unknown as HttpHooks })).toBeDefined();
  });
});
