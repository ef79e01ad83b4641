import { wire } from '../../../src/transports/cloudflare/fetch-wire.ts';
import { describe, expect, it } from 'vitest';
import { fakeFetch, openTransport, rejection } from './fake-fetch.ts';

const denied = {
  success: false,
  errors: [{ code: 10_000, message: 'Authentication error' }],
  messages: [],
  result: null,
};
const text = JSON.stringify(denied);
const unread = (): Response => new Response(text, { status: 403 });

/** An answer whose body its client has read. */
async function read(): Promise<Response> {
  const response = unread();
  await response.text();
  return response;
}

/** What HTTP clients throw for a status. */
const thrown: ReadonlyArray<readonly [like: string, make: () => unknown]> = [
  ['an answer that nobody has read', () => ({ response: unread() })],
  ['ky, which has read it', async () => ({ response: await read(), data: denied })],
  [
    'ofetch, which has read it',
    async () => ({ response: Object.assign(await read(), { _data: denied }), data: denied }),
  ],
  ['axios', () => ({ response: { status: 403, headers: new Map(), data: text } })],
  ['got', () => ({ response: { statusCode: 403, headers: {}, body: text } })],
];

/** A fetch that throws what it is told to make. */
function throwing(make: () => unknown): ReturnType<typeof fakeFetch>['fetch'] {
  return fakeFetch(async () => {
    throw await make();
  }).fetch;
}

describe('a fetch that throws for a status', () => {
  it.each(thrown)('has its answer read: %s', async (_, make) => {
    const fetch = throwing(make);
    expect(await rejection(openTransport({ fetch }).pull({}))).toMatchObject({
      code: 'unauthorized',
      status: 403,
      inEnvelope: true,
    });
  });

  it('may have read what it does not tell', async () => {
    const fetch = throwing(async () => ({ response: await read() }));
    expect(await rejection(openTransport({ fetch }).pull({}))).toMatchObject({ code: 'unauthorized', status: 403 });
  });

  it.each([
    ['an object of headers', { 'retry-after': '7' }],
    ['Headers', new Headers({ 'retry-after': '7' })],
  ])('is asked for Retry-After, in %s', async (_, headers) => {
    const fetch = throwing(() => ({ response: { statusCode: 429, headers, body: '' } }));
    expect(await rejection(openTransport({ fetch }).pull({}))).toMatchObject({
      code: 'rate-limited',
      retryAfterMs: 7_000,
    });
  });

  it.each([undefined, null, 'no', new Error('no'), { response: null }, { response: 'no' }, { response: {} }])(
    'is a failure of the network where there is no answer in what it throws: %j',
    async (error) => {
      const fetch = throwing(() => error);
      expect(await rejection(openTransport({ fetch }).pull({}))).toMatchObject({ code: 'network' });
    },
  );
});

describe('what the runtime lacks', () => {
  it('is named, and not asked for again', async () => {
    const { fetch } = globalThis;
    Reflect.deleteProperty(globalThis, 'fetch');
    try {
      const error = await rejection(openTransport({ fetch: wire }).pull({}));
      expect(error).toMatchObject({ code: 'transport-failed' });
      expect(String(error)).toContain("there is no fetch here: give openQueue() a 'fetch'");
    } finally {
      globalThis.fetch = fetch;
    }
  });
});
