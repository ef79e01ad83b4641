import { inspect } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { QueueError } from '../../../src/contract/errors.ts';
import { countedSignal } from './counted-signal.ts';
import { everythingIn } from './everything-in.ts';
import { fakeFetch, ok, openTransport, rejection, token } from './fake-fetch.ts';
import { ManualClock } from './manual-clock.ts';

const never = new Promise<never>(() => {});

/** A fetch that throws whatever it is given. */
function throwing(thrown: unknown): () => never {
  return () => {
    throw thrown;
  };
}

const unhandled = vi.fn();
process.on('unhandledRejection', unhandled);
afterEach(() => {
  expect(unhandled).not.toHaveBeenCalled();
});

describe('a call with a signal', () => {
  const reason = new Error('enough');

  it('asks nothing when the signal has aborted before', async () => {
    const { fetch, sent } = fakeFetch(() => ok({ messages: [] }));
    const signal = AbortSignal.abort(reason);
    expect(await rejection(openTransport({ fetch }).pull({}, { signal }))).toBe(reason);
    expect(sent).toStrictEqual([]);
  });

  it.each([
    ['while waiting for the answer', () => never],
    [
      'while reading the body',
      () => new Response(new ReadableStream({ start: (body) => body.enqueue(new Uint8Array(1)) })),
    ],
  ])('rejects with the very reason when aborted %s', async (_, answer) => {
    const { controller, signal, count } = countedSignal();
    const clock = new ManualClock();
    const call = openTransport({ fetch: fakeFetch(answer).fetch, clock }).pull({}, { signal, timeoutMs: 1000 });
    const rejected = rejection(call);
    expect(count()).toBe(1);
    await new Promise(setImmediate);
    controller.abort(reason);
    expect(await rejected).toBe(reason);
    expect(count()).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it.each([['a string'], [undefined], [{ code: 'E' }]])('passes a reason of any kind on: %j', async (odd) => {
    const { controller, signal } = countedSignal();
    const rejected = rejection(openTransport({ fetch: fakeFetch(() => never).fetch }).pull({}, { signal }));
    controller.abort(odd);
    expect(await rejected).toBe(signal.reason);
  });

  it.each<[string, (init: RequestInit, signal: AbortSignal) => void]>([
    ['sets', (init, signal) => (init.signal = signal)],
    ['assigns', (init, signal) => Object.assign(init, { signal })],
    ['defines', (init, signal) => Object.defineProperty(init, 'signal', { value: signal })],
  ])('takes a fetch that %s another one where it was given one', async (_, set) => {
    const { signal } = new AbortController();
    const seen: unknown[] = [];
    const fetch = async (__: string, init: RequestInit): Promise<Response> => {
      set(init, signal);
      seen.push(init.signal, { ...init }.signal);
      return ok({ messages: [] });
    };
    expect(await openTransport({ fetch }).pull({})).toEqual({ messages: [] });
    expect(seen).toEqual([signal, signal]);
  });

  it('ends even when the fetch does not listen', async () => {
    const { controller, signal, count } = countedSignal();
    const rejected = rejection(openTransport({ fetch: () => never }).pull({}, { signal }));
    controller.abort(reason);
    expect(await rejected).toBe(reason);
    expect(count()).toBe(0);
  });

  it('keeps an answer that is there, whatever happens to the signal afterwards', async () => {
    const { controller, signal, count } = countedSignal();
    const call = openTransport({ fetch: fakeFetch(() => ok({ messages: [] })).fetch }).pull({}, { signal });
    await expect(call).resolves.toStrictEqual({ messages: [] });
    controller.abort(reason);
    expect(count()).toBe(0);
  });

  it('tells an abort of the fetch from one of the caller', async () => {
    const aborted = new DOMException('someone else', 'AbortError');
    const { signal, count } = countedSignal();
    const fetch = fakeFetch(() => Promise.reject(aborted)).fetch;
    expect(await rejection(openTransport({ fetch }).pull({}, { signal }))).toMatchObject({ code: 'network' });
    expect(count()).toBe(0);
  });

  it('leaves no listener behind, however a call ends', async () => {
    const { signal, count } = countedSignal();
    const clock = new ManualClock();
    const answers = [
      ok({ messages: [] }),
      new Response('x', { status: 500 }),
      new Response('<p>'),
      new Response('', { status: 302 }),
    ];
    for (const answer of answers) {
      await openTransport({ fetch: fakeFetch(() => answer).fetch, clock })
        .pull({}, { signal, timeoutMs: 5 })
        .catch(() => {});
      expect(count()).toBe(0);
      expect(clock.pending).toBe(0);
    }
  });

  it('gives each request a signal of its own', async () => {
    const seen = new Set<AbortSignal>();
    const { controller } = countedSignal();
    const { fetch } = fakeFetch((_, signal) => {
      seen.add(signal);
      return ok({ messages: [] });
    });
    const transport = openTransport({ fetch });
    await transport.pull({}, { signal: controller.signal });
    await transport.pull({}, { signal: controller.signal });
    expect(seen.size).toBe(2);
    expect(seen.has(controller.signal)).toBe(false);
  });
});

describe('a call with a timeout', () => {
  it.each([
    ['while waiting for the answer', () => never],
    [
      'while reading the body',
      () => new Response(new ReadableStream({ start: (body) => body.enqueue(new Uint8Array(1)) })),
    ],
  ])('ends %s', async (_, answer) => {
    const clock = new ManualClock();
    let given: AbortSignal | undefined;
    const { fetch } = fakeFetch((__, signal) => {
      given = signal;
      return answer();
    });
    const settled = vi.fn();
    const rejected = rejection(openTransport({ fetch, clock }).ack({ acks: ['l'], retries: [] }, { timeoutMs: 1000 }));
    void rejected.then(settled);
    await new Promise(setImmediate);
    clock.advance(999);
    await new Promise(setImmediate);
    expect(settled).not.toHaveBeenCalled();
    clock.advance(1);
    const error = await rejected;
    expect(error).toBeInstanceOf(QueueError);
    expect(error).toMatchObject({ code: 'timeout', message: 'Cannot ack: no whole answer within 1000 ms.' });
    expect(given?.aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });
  it('sets no timer without one', async () => {
    const clock = new ManualClock();
    const { fetch } = fakeFetch(() => {
      expect(clock.pending).toBe(0);
      return ok({ messages: [] });
    });
    await openTransport({ fetch, clock }).pull({});
    await openTransport({ fetch, clock }).pull({}, { timeoutMs: Infinity });
  });
  it('lets the caller win when both end it at once', async () => {
    const clock = new ManualClock();
    const { controller, signal } = countedSignal();
    const rejected = rejection(openTransport({ fetch: () => never, clock }).pull({}, { signal, timeoutMs: 10 }));
    clock.advance(10);
    controller.abort('caller');
    expect(await rejected).toBe('caller');
  });
});

describe('what a fetch throws', () => {
  const inner = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9'), { code: 'ECONNREFUSED', port: 9 });
  it('becomes a network error that tells why', async () => {
    const thrown = new TypeError('fetch failed', { cause: inner });
    const error = await rejection(openTransport({ fetch: () => Promise.reject(thrown) }).pull({}));
    expect(error).toMatchObject({
      name: 'QueueError',
      code: 'network',
      message: 'Cannot pull: no answer from api.cloudflare.com: fetch failed: connect ECONNREFUSED 127.0.0.1:9',
      cause: { name: 'TypeError', cause: { code: 'ECONNREFUSED' } },
    });
    expect(error).not.toHaveProperty('status', expect.anything());
  });
  it('tells the code of several failed addresses', async () => {
    const several = Object.assign(new AggregateError([inner], 'none'), { message: '', code: 'ECONNREFUSED' });
    const thrown = new TypeError('fetch failed', { cause: several });
    const error = await rejection(openTransport({ fetch: () => Promise.reject(thrown) }).pull({}));
    expect((error as Error).message).toContain('fetch failed: ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:9');
  });
  it.each([['a text'], [undefined], [null], [5], [{ odd: true }]])('may be anything: %j', async (thrown) => {
    const error = await rejection(openTransport({ fetch: throwing(thrown) }).pull({}));
    expect(error).toMatchObject({ code: 'network' });
  });
  it('may be thrown at once, or be an endless chain of causes', async () => {
    const endless = new Error('a');
    endless.cause = endless;
    const fetch = () => {
      throw endless;
    };
    expect(await rejection(openTransport({ fetch }).pull({}))).toMatchObject({ code: 'network' });
  });

  it('never holds a credential', async () => {
    const request = { headers: { authorization: `Bearer ${token}` } };
    const leaky = Object.assign(new TypeError(`header "Bearer ${token}" is invalid`, { cause: new Error(token) }), {
      name: `Leak${token}`,
      code: token,
      config: request,
      options: request,
      errors: [new Error(token)],
    });
    Object.defineProperty(leaky, 'hidden', { value: token, enumerable: false });
    const page = `<p>Authorization: Bearer ${token}</p>`;
    const body = { success: false, errors: [{ code: 1, message: token, documentation_url: token }] };
    const redirect = new Response('', { status: 302, headers: { location: `https://x/?t=${token}` } });
    const clock = new ManualClock();
    const errors = [
      await rejection(openTransport({ fetch: () => Promise.reject(leaky) }).pull({})),
      await rejection(openTransport({ fetch: throwing(token) }).pull({})),
      await rejection(openTransport({ fetch: fakeFetch(() => new Response(page, { status: 500 })).fetch }).pull({})),
      await rejection(openTransport({ fetch: fakeFetch(() => new Response(page)).fetch }).pull({})),
      await rejection(openTransport({ fetch: fakeFetch(() => Response.json(body, { status: 400 })).fetch }).pull({})),
      await rejection(openTransport({ fetch: fakeFetch(() => redirect).fetch }).pull({})),
    ];
    const timed = rejection(openTransport({ fetch: () => never, clock }).pull({}, { timeoutMs: 1 }));
    clock.advance(1);
    errors.push(await timed);
    for (const error of errors) {
      expect(error).toBeInstanceOf(QueueError);
      expect(everythingIn(error)).not.toContain('secret');
      expect(everythingIn(error)).not.toContain('Headers');
    }
    expect(inspect(openTransport({}), { depth: 10, showHidden: true })).not.toContain('secret');
  });
});

describe('a redirect', () => {
  it.each([[301], [302], [303], [307], [308]])('with %i is refused', async (status) => {
    const { fetch, sent } = fakeFetch(
      () => new Response('', { status, headers: { location: 'https://evil.example' } }),
    );
    expect(await rejection(openTransport({ fetch }).pull({}))).toMatchObject({ code: 'bad-answer', status });
    expect(sent).toHaveLength(1);
  });
  it('is refused in the form that browsers give it', async () => {
    const opaque = { status: 0, headers: new Headers(), text: () => Promise.resolve('') };
    const fetch = () => Promise.resolve(opaque);
    expect(await rejection(openTransport({ fetch }).pull({}))).toMatchObject({ code: 'bad-answer' });
  });
});
