import { serialize } from 'node:v8';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { type Broker, createBroker } from '../../src/broker.ts';
import {
  type DecodeBody,
  type HandleOptions,
  type InvalidMessage,
  openQueue,
  type PulledMessage,
  type QueueTransport,
} from '../../src/index.ts';
import { decodeV8 } from '../../src/node.ts';

const exact = '{"id":1234567890123456789}';
const bytes = Uint8Array.of(1, 2);
const v8 = serialize({ at: new Date(0), of: new Map([['a', 1n]]) });

function openBroker(): Broker {
  const broker = createBroker({ queues: { jobs: {} } });
  broker.push('jobs', { body: exact, contentType: 'json', raw: true });
  broker.push('jobs', { body: '[1.10]' });
  broker.push('jobs', { body: 'plain' });
  broker.push('jobs', { body: '{broken', contentType: 'json', raw: true });
  broker.push('jobs', { body: bytes });
  broker.push('jobs', { body: new Uint8Array(v8), contentType: 'v8' });
  return broker;
}

interface Seen {
  readonly bodies: unknown[];
  readonly invalid: ReadonlyArray<{ readonly message: InvalidMessage; readonly error: unknown }>;
}

/** What a consumer with these options hands out, and what it does not. */
async function see(options: Pick<HandleOptions<unknown>, 'decode' | 'schema'>, broker = openBroker()): Promise<Seen> {
  const bodies: unknown[] = [];
  const invalid: Array<{ message: InvalidMessage; error: unknown }> = [];
  const queue = openQueue({ ...broker.queue('jobs'), ...options });
  const onInvalid = (message: InvalidMessage, error: unknown) => {
    invalid.push({ message, error });
    return 'ack' as const;
  };
  for await (const { body } of queue.consume({ stopWhenEmpty: true, onInvalid })) bodies.push(body);
  return { bodies, invalid };
}

function withoutRaw(message: PulledMessage): PulledMessage {
  const { raw, ...rest } = message;
  expect(raw).toBeDefined();
  return rest;
}

const typesOf = ({ invalid }: Seen): string[] => invalid.map(({ message }) => message.contentType);

describe('decode', () => {
  it('goes by the content type unless it is given, and onInvalid gets what came', async () => {
    const seen = await see({});
    expect(seen.bodies).toEqual([{ id: 1_234_567_890_123_456_800 }, '[1.10]', 'plain', bytes]);
    expect(seen.invalid).toMatchObject([
      { message: { contentType: 'json', body: undefined, raw: '{broken' }, error: { code: 'undecodable-body' } },
      { message: { contentType: 'v8', raw: new Uint8Array(v8) }, error: { code: 'undecodable-body' } },
    ]);
  });

  it("gives with 'raw' everything as it came", async () => {
    const seen = await see({ decode: 'raw' });
    expect(seen).toEqual({ bodies: [exact, '[1.10]', 'plain', '{broken', bytes, new Uint8Array(v8)], invalid: [] });
  });

  it("gives with 'text' the text of text and JSON", async () => {
    const seen = await see({ decode: 'text' });
    expect([seen.bodies, typesOf(seen)]).toEqual([
      [exact, '[1.10]', 'plain', '{broken'],
      ['bytes', 'v8'],
    ]);
  });

  it("parses with 'json' text, too", async () => {
    const seen = await see({ decode: 'json' });
    expect(seen.bodies).toEqual([{ id: 1_234_567_890_123_456_800 }, [1.1]]);
    expect(typesOf(seen)).toEqual(['text', 'json', 'bytes', 'v8']);
    for (const { error } of seen.invalid) expect(error).toMatchObject({ code: 'undecodable-body' });
    expect(seen.invalid[0]).toMatchObject({ message: { body: undefined, raw: 'plain' } });
  });

  it('asks a function, with what is known of the message', async () => {
    const broker = openBroker();
    const ids = broker.inspect('jobs').messages.map(({ id }) => id);
    const decode: DecodeBody = (raw, message) => [raw.length, message];
    const { bodies } = await see({ decode }, broker);
    const metadata = { 'CF-Content-Type': 'json', 'CF-sourceMessageSource': 'api' };
    expect(bodies[0]).toEqual([exact.length, { id: ids[0], contentType: 'json', metadata }]);
    expect(bodies).toHaveLength(6);
  });

  it.each<[unknown]>([[new Error('no')], [undefined]])(
    'calls a body undecodable when the function throws %s',
    async (thrown) => {
      const seen = await see({
        decode: () => {
          throw thrown;
        },
      });
      expect(seen.bodies).toEqual([]);
      expect(seen.invalid).toHaveLength(6);
      for (const { message, error } of seen.invalid) {
        expect(error).toMatchObject({ code: 'undecodable-body', message: expect.stringContaining(message.id) });
        expect([message.body, message.raw]).toEqual([undefined, expect.anything()]);
      }
    },
  );

  it('is judged by the schema', async () => {
    const schema = v.pipe(v.string(), v.startsWith('{'));
    const seen = await see({ decode: 'raw', schema });
    expect([seen.bodies, typesOf(seen)]).toEqual([
      [exact, '{broken'],
      ['text', 'text', 'bytes', 'v8'],
    ]);
    expect(seen.invalid[0]).toMatchObject({ message: { body: '[1.10]' }, error: { code: 'invalid-body' } });
  });

  it('changes nothing of what is moved, and what is not of its type is not moved', async () => {
    const broker = openBroker();
    const other = openQueue(broker.queue('other'));
    const schema = v.pipe(
      v.unknown(),
      v.transform(() => ({ made: true })),
    );
    const queue = openQueue({ ...broker.queue('jobs'), decode: 'raw', schema });
    const outcomes: string[] = [];
    for await (const message of queue.consume({ stopWhenEmpty: true })) {
      outcomes.push((await message.deadLetter(other)).outcome);
    }
    expect(outcomes).toEqual(['acked', 'acked', 'acked', 'lost', 'lost', 'lost']);
    const { messages } = await broker.transport('other').pull({});
    expect(messages.map(({ raw }) => raw)).toEqual([exact, '[1.10]', 'plain']);
  });

  it('takes the body encoded anew where a transport does not tell what came', async () => {
    const transport = openBroker().transport('jobs');
    const poor: QueueTransport = Object.assign(Object.create(transport) as QueueTransport, {
      pull: async (...given: Parameters<QueueTransport['pull']>) => {
        const { messages } = await transport.pull(...given);
        return { messages: messages.map(withoutRaw) };
      },
      ack: (...given: Parameters<QueueTransport['ack']>) => transport.ack(...given),
    });
    const bodies: unknown[] = [];
    const raws: unknown[] = [];
    const queue = openQueue({ transport: poor, decode: 'raw' });
    for await (const { body, raw } of queue.consume({ stopWhenEmpty: true, onInvalid: 'ack' })) {
      bodies.push(body);
      raws.push(raw);
    }
    expect(bodies).toEqual(['{"id":1234567890123456800}', '[1.10]', 'plain', bytes]);
    expect(raws).toEqual(bodies);
  });

  it('is refused when it is nothing of that kind', () => {
    const options = createBroker().queue('jobs');
    expect(() => openQueue({ ...options, decode: 'bytes' as never })).toThrow(/'decode' must be/);
  });
});

describe('decodeV8()', () => {
  it('decodes v8 bodies, and all others as without it', async () => {
    const seen = await see({ decode: decodeV8 });
    expect(seen.bodies).toEqual([
      { id: 1_234_567_890_123_456_800 },
      '[1.10]',
      'plain',
      bytes,
      { at: new Date(0), of: new Map([['a', 1n]]) },
    ]);
    expect(seen.invalid).toMatchObject([{ message: { contentType: 'json' }, error: { code: 'undecodable-body' } }]);
  });

  it('calls a body undecodable that is not what it says', async () => {
    const broker = createBroker({ queues: { jobs: {} } });
    broker.push('jobs', { body: 'no base64', contentType: 'v8', raw: true });
    broker.push('jobs', { body: 'no base64', contentType: 'bytes', raw: true });
    broker.push('jobs', { body: Uint8Array.of(1, 2, 3), contentType: 'v8' });
    const seen = await see({ decode: decodeV8 }, broker);
    expect([seen.bodies, typesOf(seen)]).toEqual([[], ['v8', 'bytes', 'v8']]);
  });
});
