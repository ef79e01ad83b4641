import { describe, expect, it } from 'vitest';
import { createBroker } from '../../src/broker.ts';
import { createCloudflareTransport } from '../../src/cloudflare.ts';
import type { QueueTransport } from '../../src/contract/transport.ts';
import { ManualClock, testTransport, type TestedTransport } from '../../src/testing.ts';

type Overrides = (inner: QueueTransport) => Partial<QueueTransport>;

/** The transport of a broker, some of whose methods are others. */
function overBroker(overrides: Overrides = () => ({})): TestedTransport {
  const clock = new ManualClock();
  const inner = createBroker({ clock, leastVisibilityTimeoutMs: 1, queues: { jobs: {} } }).transport('jobs');
  const methods: QueueTransport = {
    push: (...call) => inner.push(...call),
    bulkPush: (...call) => inner.bulkPush(...call),
    pull: (...call) => inner.pull(...call),
    ack: (...call) => inner.ack(...call),
    peek: (...call) => inner.peek(...call),
    purge: (...call) => inner.purge(...call),
    metrics: (...call) => inner.metrics(...call),
  };
  return { transport: { ...methods, ...overrides(inner) }, pass: (ms) => clock.advance(ms) };
}

const ways: Readonly<Record<string, () => TestedTransport>> = {
  'the broker': () => overBroker(),
  'the HTTP API': () => {
    const clock = new ManualClock();
    const broker = createBroker({ clock, leastVisibilityTimeoutMs: 1, queues: { jobs: {} } });
    return { transport: createCloudflareTransport(broker.queue('jobs')), pass: (ms) => clock.advance(ms) };
  },
};

describe.each(Object.entries(ways))('testTransport() of %s', (_, create) => {
  it.each(testTransport(create))('$name', ({ run }) => expect(run()).resolves.toBeUndefined());
});

const neverLeased: Overrides = (inner) => {
  const seen = new Map<string, Awaited<ReturnType<QueueTransport['pull']>>['messages'][number]>();
  return {
    pull: async (request, options) => {
      const { messages } = await inner.pull(request, options);
      for (const message of messages) seen.set(message.id, message);
      return { messages: [...seen.values()] };
    },
  };
};

// Each breaks one promise of the port.
const broken: readonly (readonly [fault: string, check: string, overrides: Overrides])[] = [
  ['brings a message to whoever asks', 'brings a message to nobody else while it is leased', neverLeased],
  [
    'acknowledges what it is told to retry',
    'brings a retried message again after its delay, and each of one call is settled for itself',
    (inner) => ({
      ack: ({ acks, retries }) => inner.ack({ acks: [...acks, ...retries.map(({ leaseId }) => leaseId)], retries: [] }),
    }),
  ],
  [
    'acknowledges nothing',
    'brings an acknowledged message no more',
    () => ({ ack: async ({ acks }) => ({ ackCount: acks.length, warnings: new Map(), otherWarnings: [] }) }),
  ],
  [
    'says nothing of unknown leases',
    'tells of leases that it does not know',
    (inner) => ({
      ack: async (request) => ({ ...(await inner.ack(request)), ackCount: request.acks.length, warnings: new Map() }),
    }),
  ],
  [
    'says that it took a late acknowledgement, and did not',
    'takes an acknowledgement that comes late, or tells that it does not',
    () => ({ ack: async ({ acks }) => ({ ackCount: acks.length, warnings: new Map(), otherWarnings: [] }) }),
  ],
  [
    'counts no attempts',
    'brings a message again when its lease has ended',
    (inner) => ({
      pull: async (request, options) => {
        const { messages } = await inner.pull(request, options);
        return { messages: messages.map((message) => ({ ...message, attempts: 1 })) };
      },
    }),
  ],
  [
    'heeds no batch size',
    'brings no more than are asked for',
    (inner) => ({ pull: (request, options) => inner.pull({ ...request, batchSize: 100 }, options) }),
  ],
  [
    'drops the delays',
    'keeps the delays of what is pushed',
    (inner) => ({ push: ({ body }, options) => inner.push({ body }, options) }),
  ],
  [
    'heeds no signal',
    'ends with the reason of an aborted signal, and does nothing',
    (inner) => ({ push: (message) => inner.push(message) }),
  ],
  [
    'makes text of all',
    'brings each body as it was pushed, and its content type',
    (inner) => ({ push: ({ body }) => inner.push({ body: JSON.stringify(body) }) }),
  ],
  [
    'pushes twice',
    'brings each message of a bulk push once',
    (inner) => ({
      bulkPush: async (request) => {
        await inner.bulkPush(request);
        return inner.bulkPush(request);
      },
    }),
  ],
];

describe('a transport that', () => {
  it.each(broken)('%s fails: %s', async (_, named, overrides) => {
    const check = testTransport(() => overBroker(overrides)).find(({ name }) => name === named);
    await expect(check?.run()).rejects.toThrow(/must/);
  });
});

describe('testTransport()', () => {
  it('closes what it was given, also after a check that fails', async () => {
    let closed = 0;
    const create = (): TestedTransport => ({ ...overBroker(neverLeased), close: () => void (closed += 1) });
    const checks = testTransport(create);
    await Promise.allSettled(checks.map(({ run }) => run()));
    expect(closed).toBe(checks.length);
  });

  it('says what it must be given', async () => {
    expect(() => testTransport({} as never)).toThrow("Cannot test a transport as 'create' must be a function");
    const [check] = testTransport(() => ({}) as never);
    await expect(check?.run()).rejects.toThrow("'create()' must be { transport, pass, close }");
  });
});
