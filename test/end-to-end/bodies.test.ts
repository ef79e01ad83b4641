import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Broker, type BrokerServer, createBroker } from '../../src/broker.ts';
import { envelope, forward, type LeasedMessage, openQueue, type Queue, type Settlement } from '../../src/index.ts';
import { toReadable, toWritable } from '../../src/node.ts';

const jsonTexts = [
  '1234567890123456789',
  '{"id":1234567890123456789}',
  '[1.10,1E400,-0,0.1e+1]',
  '{ "b" : 1,\n"a":"  two  spaces \\u0041\\/",  "2":0, "1":0 }',
  '{"a":1,"a":2,"__proto__":3}',
  '{"body":{"body":[{"body":1.0}]}}',
];

let broker: Broker;
let server: BrokerServer;
let jobs: Queue;
let other: Queue;

beforeEach(async () => {
  broker = createBroker({ queues: { jobs: {}, other: {} } });
  server = await broker.listen();
  jobs = openQueue(server.queue('jobs'));
  other = openQueue(server.queue('other'));
});
afterEach(() => server.close());

interface Pulled {
  readonly messages: ReadonlyArray<{ readonly body: string }>;
}

/** Calls a queue of a broker on a socket as any program would, with a body as it stands. */
async function post(name: string, path: string, body: string): Promise<unknown> {
  const { baseUrl, accountId, queueId, apiToken } = server.queue(name);
  const answer = await fetch(`${baseUrl}/accounts/${accountId}/queues/${queueId}/messages${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiToken}`, 'content-type': 'application/json' },
    body,
  });
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { result: unknown }).result;
}

const pullTexts = async (name: string): Promise<string[]> =>
  ((await post(name, '/pull', '{"batch_size":100}')) as Pulled).messages.map(({ body }) => body);

const pushTexts = async (texts: readonly string[]): Promise<unknown> =>
  post('jobs', '/batch', `{"messages":[${texts.map((text) => `{"body":${text} }`).join(' , ')}]}`);

describe('the broker on a socket', () => {
  it('gives JSON bodies as they were written, pushed one by one or in bulk', async () => {
    for (const text of jsonTexts) await post('jobs', '', `{ "delay_seconds" : 0, "body" : ${text} }`);
    await pushTexts(jsonTexts);
    expect(await pullTexts('jobs')).toEqual([...jsonTexts, ...jsonTexts]);
  });
});

/** Moves all that is in `jobs`, each message by itself. */
async function deadLetterAll(): Promise<Settlement[]> {
  const settlements: Settlement[] = [];
  await jobs.process(async (message) => void settlements.push(await message.deadLetter(other)), {
    stopWhenEmpty: true,
  });
  return settlements;
}

async function* alone(messages: AsyncIterable<LeasedMessage>) {
  for await (const message of messages) yield forward(message, [message]);
}

/** What can be written with other characters than `JSON.stringify` writes it with. */
const anyJson = fc.oneof(
  fc.constantFrom(...jsonTexts),
  fc.bigInt().map(String),
  fc.tuple(fc.json(), fc.bigInt(), fc.json()).map(([a, id, b]) => `{ "a" : ${a},"id":${id}, "a":[1.10, 1E400 ,${b}]}`),
);

describe('deadLetter()', () => {
  it('moves JSON to the last character, whatever it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyJson, { minLength: 1, maxLength: 10 }), async (texts) => {
        await pushTexts(texts);
        const settlements = await deadLetterAll();
        expect(settlements.map(({ outcome }) => outcome)).toEqual(texts.map(() => 'acked'));
        expect((await pullTexts('other')).toSorted()).toEqual(texts.toSorted());
      }),
      { numRuns: 25 },
    );
  });

  it('moves text as it is, and a string of JSON, which HTTP does not take, as text', async () => {
    await jobs.send('{"a": 1.10}');
    broker.push('jobs', { body: '"é"', contentType: 'json', raw: true });
    await deadLetterAll();
    expect(broker.inspect('other').messages.map(({ body, contentType }) => `${contentType} ${String(body)}`)).toEqual(
      expect.arrayContaining(['text {"a": 1.10}', 'text é']),
    );
  });

  it('moves what came, also where a schema or a handler made something else of it', async () => {
    await pushTexts(['{"at":"2026-01-01","id":1234567890123456789}']);
    for await (const message of jobs.consume({ stopWhenEmpty: true })) {
      (message.body as { at: unknown }).at = new Map();
      await message.deadLetter(other);
    }
    expect(await pullTexts('other')).toEqual(['{"at":"2026-01-01","id":1234567890123456789}']);
  });

  it('names the message, and its content type, where HTTP can not carry it', async () => {
    broker.push('jobs', { body: Uint8Array.of(1) });
    const [settlement] = await deadLetterAll();
    const [{ id } = { id: '' }] = broker.inspect('jobs').messages;
    expect(settlement).toMatchObject({ outcome: 'lost', error: { code: 'refused' } });
    expect(settlement).toHaveProperty('error.message', expect.stringMatching(new RegExp(`${id}.*bytes`)));
    expect(broker.isEmpty('other')).toBe(true);
  });
});

describe('forward()', () => {
  it('moves a message itself as it came', async () => {
    await pushTexts(jsonTexts);
    await pipeline(toReadable(jobs, { stopWhenEmpty: true }), alone, toWritable(other));
    expect((await pullTexts('other')).toSorted()).toEqual(jsonTexts.toSorted());
    expect(broker.isEmpty('jobs')).toBe(true);
  });

  it('moves it with a delay, too', async () => {
    await pushTexts(['1.10']);
    const delayed = async function* (messages: AsyncIterable<LeasedMessage>) {
      for await (const message of messages) yield forward(message, [envelope(message, { delaySeconds: 60 })]);
    };
    await pipeline(toReadable(jobs, { stopWhenEmpty: true }), delayed, toWritable(other));
    expect(broker.inspect('other').messages).toMatchObject([{ state: 'delayed', body: 1.1 }]);
  });

  it('moves no message that is not in its group, and tells of one that HTTP can not carry', async () => {
    broker.push('jobs', { body: Uint8Array.of(1) });
    const errors: unknown[] = [];
    const sink = toWritable(other, { onRejected: (_, error) => void errors.push(error) });
    await pipeline(toReadable(jobs, { stopWhenEmpty: true }), alone, sink);
    expect(errors).toMatchObject([{ code: 'refused', message: expect.stringContaining('bytes') }]);
    expect(broker.inspect('jobs').counts.total).toBe(1);
  });
});

describe('LeasedMessage', () => {
  it('gives what came: text, or bytes', async () => {
    await pushTexts(['{"id":1234567890123456789}']);
    await jobs.send('text');
    broker.push('jobs', { body: Uint8Array.of(1, 2) });
    const raws: unknown[] = [];
    for await (const message of jobs.consume({ stopWhenEmpty: true })) raws.push(message.raw);
    expect(raws).toEqual(['{"id":1234567890123456789}', 'text', Uint8Array.of(1, 2)]);
  });
});
