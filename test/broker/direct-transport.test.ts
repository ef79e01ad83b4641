import { describe, expect, it } from 'vitest';
import { createBroker, ManualClock, type QueueSettings } from '../../src/broker.ts';
import type { QueueTransport } from '../../src/contract/transport.ts';

const open = (settings: QueueSettings = {}) => {
  const clock = new ManualClock({ now: 0 });
  const broker = createBroker({ clock, leastVisibilityTimeoutMs: 10, queues: { jobs: settings } });
  return { broker, clock, transport: broker.transport('jobs') };
};

describe('DirectTransport', () => {
  it('pushes and pulls decoded bodies', async () => {
    const { broker, transport } = open();
    await transport.push({ body: 'text' });
    const messages = [{ body: { a: 1 } }, { body: [2], delaySeconds: 0 }, { body: 'later' }];
    const { metrics } = await transport.bulkPush({ messages, delaySeconds: 60 });
    expect(metrics).toEqual({ backlogCount: 4, backlogBytes: 19, oldestMessageTimestampMs: 0 });
    broker.push('jobs', { body: Uint8Array.of(7) });
    broker.push('jobs', { body: Uint8Array.of(8), contentType: 'v8' });
    const pulled = await transport.pull({});
    expect(pulled.backlogCount).toBe(6);
    expect(pulled.messages).toMatchObject([
      { body: 'text', contentType: 'text', attempts: 1, timestampMs: 0, bodyLength: 4 },
      { body: [2], contentType: 'json', metadata: { 'CF-Content-Type': 'json' }, bodyLength: 3 },
      { body: Uint8Array.of(7), contentType: 'bytes', bodyLength: 4 },
      { body: undefined, contentType: 'v8', bodyError: { code: 'undecodable-body' } },
    ]);
    expect(pulled.messages[0]).not.toHaveProperty('bodyError');
  });

  it('settles, counts and warns', async () => {
    const { broker, transport } = open();
    await transport.bulkPush({ messages: [{ body: 1 }, { body: 2 }] });
    const [first, second] = (await transport.pull({})).messages.map(({ leaseId }) => leaseId) as [string, string];
    const result = await transport.ack({ acks: [first, first], retries: [{ leaseId: second }, { leaseId: 'x' }] });
    expect(result).toMatchObject({ ackCount: 1, retryCount: 1, otherWarnings: [] });
    expect([...result.warnings.keys()]).toEqual([first, 'x']);
    expect(broker.inspect('jobs').messages).toMatchObject([{ body: 2, state: 'ready', attempts: 1 }]);
  });

  it('peeks and purges', async () => {
    const { broker, transport } = open();
    await transport.push({ body: { a: 1 } });
    const { messages } = await transport.peek({});
    expect(messages).toMatchObject([{ body: { a: 1 }, attempts: 0 }]);
    const { warnings } = await transport.purge({ refs: [messages[0]?.ref ?? '', 'x'] });
    expect([...warnings.keys()]).toEqual(['x']);
    expect(broker.isEmpty('jobs')).toBe(true);
    expect(await transport.metrics()).toEqual({ backlogCount: 0, backlogBytes: 0, oldestMessageTimestampMs: 0 });
  });

  it.each<[string, (transport: QueueTransport) => Promise<unknown>]>([
    ['pull', (transport) => transport.pull({ batchSize: 0 })],
    ['pull', (transport) => transport.pull({ batchSize: 101 })],
    ['pull', (transport) => transport.pull({ visibilityTimeoutMs: 43_200_001 })],
    ['pull', (transport) => transport.pull({}, { timeoutMs: 0 })],
    ['peek', (transport) => transport.peek({ batchSize: 1.5 })],
    ['push', (transport) => transport.push({ body: 1, delaySeconds: 86_401 })],
    ['bulk push', (transport) => transport.bulkPush({ messages: [] })],
    ['bulk push', (transport) => transport.bulkPush({ messages: [{ body: 1 }], delaySeconds: -1 })],
    ['ack', (transport) => transport.ack({ acks: [], retries: [] })],
    ['ack', (transport) => transport.ack({ acks: [], retries: [{ leaseId: 'x', delaySeconds: 0.5 }] })],
    ['purge', (transport) => transport.purge({ refs: [] })],
  ])('rejects a %s that can not be sent', async (_, call) => {
    await expect(call(open().transport)).rejects.toThrow(RangeError);
  });

  it('rejects a body without a form', async () => {
    await expect(open().transport.push({ body: undefined })).rejects.toThrow(TypeError);
  });

  it.each<[string, number, QueueSettings, (transport: QueueTransport) => Promise<unknown>]>([
    ['pull-not-enabled', 405, { httpPull: false }, (transport) => transport.pull({})],
    ['delivery-paused', 409, { deliveryPaused: true }, (transport) => transport.pull({})],
    ['refused', 400, {}, (transport) => transport.pull({ visibilityTimeoutMs: 9 })],
    ['too-large', 400, {}, (transport) => transport.push({ body: 'x'.repeat(128_001) })],
    [
      'too-large',
      400,
      {},
      (transport) => transport.bulkPush({ messages: Array.from({ length: 101 }, () => ({ body: 1 })) }),
    ],
  ])('rejects with %s what the broker refuses', async (code, status, settings, call) => {
    await expect(call(open(settings).transport)).rejects.toMatchObject({ name: 'QueueError', code, status });
  });

  it('rejects with the reason of an aborted signal, and does nothing', async () => {
    const { broker, transport } = open();
    const reason = new Error('enough');
    await expect(transport.push({ body: 1 }, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(broker.isEmpty('jobs')).toBe(true);
  });
});
