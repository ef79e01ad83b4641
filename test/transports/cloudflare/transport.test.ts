import { describe, expect, it } from 'vitest';
import type { QueueTransport } from '../../../src/contract/transport.ts';
import { createCloudflareTransport } from '../../../src/cloudflare.ts';
import { accountId, fakeFetch, ok, openTransport, queueId, rejection, token } from './fake-fetch.ts';
import { readRecord } from '../../wire/conversations.ts';

type Call = (transport: QueueTransport) => Promise<unknown>;

const calls: readonly (readonly [string, Call])[] = [
  ['push', (transport) => transport.push({ body: { greeting: 'hello' } })],
  ['bulk-push', (transport) => transport.bulkPush({ messages: [{ body: 'a' }] })],
  ['pull', (transport) => transport.pull({ batchSize: 10 })],
  ['ack', (transport) => transport.ack({ acks: ['lease'], retries: [] })],
  ['peek', (transport) => transport.peek({})],
  ['purge', (transport) => transport.purge({ refs: ['ref'] })],
  ['metrics', (transport) => transport.metrics()],
];

describe('createCloudflareTransport()', () => {
  it.each(calls)('%s: sends one request to the recorded address', async (name, call) => {
    const { method, path } = readRecord(name);
    const { fetch, sent } = fakeFetch(() => ok({ backlog_count: 1, messages: [] }));
    await call(openTransport({ fetch }));
    expect(sent).toHaveLength(1);
    const [request] = sent;
    expect(request?.method).toBe(method);
    const recorded = path.replace('ACCOUNT_ID', accountId).replace('QUEUE_ID', queueId);
    expect(request?.url).toBe(`https://api.cloudflare.com/client/v4${recorded}`);
    expect(Object.fromEntries(request?.headers ?? [])).toStrictEqual({
      accept: 'application/json',
      'content-type': 'application/json',
      authorization: `Bearer ${token}`,
    });
    expect(request?.redirect).toBe('manual');
    expect(request?.body === undefined).toBe(method === 'GET');
  });

  it('calls a fetch as no method of anything, as those of browsers and Workers refuse to be', async () => {
    const callers: unknown[] = [];
    const { fetch } = fakeFetch(() => ok({ backlog_count: 1 }));
    const strict = function strict(this: unknown, ...request: Parameters<typeof fetch>) {
      callers.push(this);
      return fetch(...request);
    };
    await openTransport({ fetch: strict }).metrics();
    await openTransport({ fetch: strict, http: { onRequest: () => undefined } }).metrics();
    expect(callers).toEqual([undefined, undefined]);
  });

  it.each(calls)('%s: reads every recorded answer', async (name, call) => {
    for (const { answer, name: answerName } of readRecord(name).conversations) {
      const transport = openTransport({ fetch: fakeFetch(() => Response.json(answer)).fetch });
      if (name === 'purge' && answerName === 'an error') {
        expect(await rejection(call(transport))).toMatchObject({ code: 'refused', status: 200 });
      } else {
        await expect(call(transport)).resolves.toBeTypeOf('object');
      }
    }
  });

  it.each(calls)('%s: rejects with what the service says, and repeats nothing', async (_, call) => {
    const body = { success: false, errors: [{ code: 10250, message: 'Queue is overloaded' }], result: null };
    const { fetch, sent } = fakeFetch(() => Response.json(body, { status: 429, headers: { 'retry-after': '7' } }));
    expect(await rejection(call(openTransport({ fetch })))).toMatchObject({
      name: 'QueueError',
      code: 'queue-unavailable',
      status: 429,
      retryAfterMs: 7000,
      errors: [{ code: 10250, message: 'Queue is overloaded' }],
    });
    expect(sent).toHaveLength(1);
  });

  it('authenticates with e-mail and key', async () => {
    const { fetch, sent } = fakeFetch(() => ok({ messages: [] }));
    const transport = createCloudflareTransport({ accountId, queueId, email: 'a@b.c', apiKey: 'key', fetch });
    await transport.pull({});
    expect(sent[0]?.headers.get('x-auth-email')).toBe('a@b.c');
    expect(sent[0]?.headers.get('x-auth-key')).toBe('key');
    expect(sent[0]?.headers.has('authorization')).toBe(false);
  });

  it('rejects what cannot be sent, without a request', async () => {
    const { fetch, sent } = fakeFetch(() => ok({}));
    const transport = openTransport({ fetch });
    await expect(transport.bulkPush({ messages: [] })).rejects.toThrow(RangeError);
    await expect(transport.pull({ batchSize: 0 })).rejects.toThrow(RangeError);
    await expect(transport.push({ body: undefined })).rejects.toThrow(TypeError);
    await expect(transport.pull({}, { timeoutMs: 0 })).rejects.toThrow(
      "Cannot pull as 'timeoutMs' must be above 0: current value is 0",
    );
    await expect(transport.pull({}, { timeoutMs: Number.NaN })).rejects.toThrow(RangeError);
    expect(sent).toStrictEqual([]);
  });

  it.each([
    ['success: false', Response.json({ success: false, errors: [], result: { messages: [] } }), 'bad-answer'],
    ['no success', Response.json({ result: { messages: [] } }), 'bad-answer'],
    ['HTML', new Response('<h1>Hi</h1>', { headers: { 'content-type': 'text/html' } }), 'bad-answer'],
    ['a broken JSON', new Response('{"success":true,"result":{"messa'), 'bad-answer'],
    ['nothing', new Response(''), 'bad-answer'],
    ['no content', new Response(null, { status: 204 }), 'bad-answer'],
    ['another JSON', Response.json('ok'), 'bad-answer'],
    ['HTML of the edge', new Response('<h1>502</h1>', { status: 502 }), 'service-failed'],
    ['HTML of a firewall', new Response('<h1>Blocked</h1>', { status: 403 }), 'unauthorized'],
    ['success on a failure', Response.json({ success: true, result: {} }, { status: 500 }), 'service-failed'],
  ])('takes %s for a failure', async (_, response, code) => {
    expect(await rejection(openTransport({ fetch: fakeFetch(() => response).fetch }).pull({}))).toMatchObject({ code });
  });

  it('takes a success with errors beside it for a success, as the documentation shows it', async () => {
    const body = { success: true, errors: [{ code: 7003, message: 'No route for the URI' }], result: { messages: [] } };
    const transport = openTransport({ fetch: fakeFetch(() => Response.json(body)).fetch });
    await expect(transport.pull({})).resolves.toStrictEqual({ messages: [] });
  });

  it('does not let a JSON text be guarded, revived or converted on its way', async () => {
    const text =
      '{"success":true,"result":{"messages":[{"lease_id":"l","body":"{\\"__proto__\\":1}","metadata":{"CF-Content-Type":"json"}}]}}';
    const transport = openTransport({ fetch: fakeFetch(() => new Response(text)).fetch });
    const { messages } = await transport.pull({});
    expect(Object.keys(messages[0]?.body as object)).toStrictEqual(['__proto__']);
  });

  it('does not know a backlog that the service does not tell', async () => {
    const transport = openTransport({ fetch: fakeFetch(() => ok(null)).fetch });
    expect(await rejection(transport.metrics())).toMatchObject({ code: 'bad-answer' });
  });
});
