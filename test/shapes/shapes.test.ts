import { describe, expect, it, vi } from 'vitest';
import { decode } from '../../src/consumer/intake/decode.ts';
import { withKey } from '../../src/consumer/intake/message-key.ts';
import { openCall } from '../../src/consumer/call.ts';
import { copyWith } from '../../src/contract/copy-with.ts';
import type { PulledMessage } from '../../src/contract/message.ts';
import { countControllers } from '../contract/count-controllers.ts';
import { haveOneShape } from './one-shape.ts';
import { ok, openTransport } from '../transports/cloudflare/fake-fetch.ts';
import { openJobs } from '../consumer/jobs.ts';

// Objects that are made for each message or call have one hidden class: where each has its own, as `{ ...object, added }`
// has on V8 up to 11, all that they come to takes several times as long. In a process of its own: where the library is loaded
// twice, its getters are two, and then V8 makes dictionaries of what has the second.

const pulled = (id: number): PulledMessage => ({
  id: `${id}`,
  leaseId: `lease-${id}`,
  attempts: 1,
  timestampMs: 1_000,
  contentType: 'text',
  metadata: {},
  body: 'x',
  raw: 'x',
  bodyLength: 1,
});
const messages = Array.from({ length: 100 }, (_, id) => pulled(id));

describe('copyWith()', () => {
  it('makes copies of one shape', () => {
    const object = { a: 1, b: 2, c: 3 };
    expect(haveOneShape(Array.from({ length: 100 }, (_, d) => copyWith(object, { d })))).toBe(true);
  });
});

describe('what is made for each message is of one shape:', () => {
  it('a body that is decoded', () => {
    expect(haveOneShape(messages.map((message) => decode(message, () => 1).message))).toBe(true);
  });

  it('one that can not be decoded', () => {
    const failing = messages.map((message) => decode(message, 'json'));
    expect(failing.every(({ error }) => error !== undefined)).toBe(true);
    expect(haveOneShape(failing.map(({ message }) => message))).toBe(true);
  });

  it('a key, and the view that it is told by', () => {
    const views: object[] = [];
    const key = (view: object): string => {
      views.push(view);
      return 'x';
    };
    const keyed = messages.map((message) => withKey({ message }, { key, lookAhead: 1 }));
    expect(haveOneShape(keyed.map(({ message }) => message))).toBe(true);
    expect(haveOneShape(views)).toBe(true);
    const { attempts, contentType, metadata, body, raw } = messages[0]!;
    const shown = { id: '0', attempts, timestamp: new Date(1_000), contentType, metadata, body, raw };
    expect(views[0]).toStrictEqual(shown);
    for (const made of [{ ...views[0] }, new Proxy(views[0]!, {}), Object.create(views[0]!) as object])
      expect(Reflect.get(made, 'raw')).toBe('x');
  });

  it('what the broker delivers and shows', async () => {
    const jobs = openJobs();
    jobs.push(...messages);
    const transport = jobs.broker.transport('jobs');
    expect(haveOneShape((await transport.peek({ batchSize: 100 })).messages)).toBe(true);
    expect(haveOneShape((await transport.pull({ batchSize: 100 })).messages)).toBe(true);
  });
});

describe('what is made for each call is of one shape:', () => {
  it('its options, as a consumer gives them', async () => {
    const jobs = openJobs({ batchSize: 1 });
    const transport = jobs.broker.transport('jobs');
    const options = { pull: [] as object[], ack: [] as object[] };
    vi.spyOn(jobs.transport, 'pull').mockImplementation((request, given) => {
      options.pull.push(given ?? {});
      return transport.pull(request, given);
    });
    vi.spyOn(jobs.transport, 'ack').mockImplementation((request, given) => {
      options.ack.push(given ?? {});
      return transport.ack(request, given);
    });
    jobs.push(...messages);
    await jobs.run(jobs.queue.process(() => undefined, { stopWhenEmpty: true, concurrency: 1, maxBuffered: 1 }));
    expect(options.pull.length).toBeGreaterThan(50);
    expect(haveOneShape(options.pull)).toBe(true);
    expect(options.ack.length).toBeGreaterThan(50);
    expect(haveOneShape(options.ack)).toBe(true);
  });

  it('what a fetch is called with, in which a signal is made for who reads it', async () => {
    const inits: RequestInit[] = [];
    const transport = openTransport({
      fetch: async (_, init) => {
        inits.push(init);
        return ok({ messages: [] });
      },
    });
    const made = countControllers();
    for (let n = 0; n < 100; n += 1) await transport.pull({}, openCall(1_000).options);
    expect(made()).toBe(0);
    expect(haveOneShape(inits)).toBe(true);
    expect(inits[0]?.signal).toBeInstanceOf(AbortSignal);
  });
});
