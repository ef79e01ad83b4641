import { afterEach, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.ts';
import type { QueueTransport } from '../../src/contract/transport.ts';
import { QueueError } from '../../src/index.ts';
import { countedSignal } from '../transports/cloudflare/counted-signal.ts';

/** A transport to the queue `jobs` of a broker of its own. */
export interface OpenedTransport {
  readonly transport: QueueTransport;
  readonly broker: Broker;
  readonly close?: () => Promise<void>;
}

/** What every implementation of the port keeps, whatever lies between it and the broker. */
export function testTransport(name: string, openTransport: () => Promise<OpenedTransport>): void {
  const opened: OpenedTransport[] = [];
  const open = async (): Promise<OpenedTransport> => {
    const each = await openTransport();
    opened.push(each);
    return each;
  };

  afterEach(async () => {
    await Promise.all(opened.splice(0).map(async ({ close }) => close?.()));
  });

  describe(`QueueTransport ${name}`, () => {
    it('pushes and pulls every type of body', async () => {
      const { transport, broker } = await open();
      await transport.push({ body: 'text é' });
      await transport.push({ body: { a: [1, null, 'é'] } });
      await transport.bulkPush({ messages: [{ body: 0 }, { body: null }, { body: false }, { body: '' }] });
      broker.push('jobs', { body: Uint8Array.of(0, 255) });
      broker.push('jobs', { body: Uint8Array.of(1), contentType: 'v8' });
      broker.push('jobs', { body: '{broken', contentType: 'json', raw: true });
      const { messages, backlogCount } = await transport.pull({ batchSize: 100, visibilityTimeoutMs: 60_000 });
      expect(backlogCount).toBe(9);
      expect(messages.map(({ body, contentType }) => [contentType, body])).toEqual([
        ['text', 'text é'],
        ['json', { a: [1, null, 'é'] }],
        ['json', 0],
        ['json', null],
        ['json', false],
        ['text', ''],
        ['bytes', Uint8Array.of(0, 255)],
        ['v8', undefined],
        ['json', undefined],
      ]);
      for (const message of messages.slice(0, 7)) expect(message).not.toHaveProperty('bodyError');
      for (const { bodyError } of messages.slice(7)) {
        expect(bodyError).toBeInstanceOf(QueueError);
        expect(bodyError).toMatchObject({ code: 'undecodable-body' });
      }
      const ids = broker.inspect('jobs').messages.map(({ id }) => id);
      expect(messages.map(({ id }) => id)).toEqual(ids);
      for (const { attempts, leaseId, timestampMs, metadata, bodyLength } of messages) {
        expect(attempts).toBe(1);
        expect(leaseId).not.toBe('');
        expect(Number.isInteger(timestampMs)).toBe(true);
        expect(metadata).toHaveProperty('CF-Content-Type');
        expect(bodyLength).toBeGreaterThanOrEqual(0);
      }
    });

    it('gives metrics with a push where the service does', async () => {
      const { transport } = await open();
      const { metrics } = await transport.push({ body: 'four' });
      expect(metrics).toMatchObject({ backlogCount: 1, backlogBytes: 4 });
    });

    it('leaves out what was left out: the service’s own defaults hold', async () => {
      const { transport, broker } = await open();
      await transport.bulkPush({ messages: Array.from({ length: 7 }, (_, body) => ({ body })) });
      const { messages } = await transport.pull({});
      expect(messages).toHaveLength(5);
      expect(broker.inspect('jobs').counts).toMatchObject({ leased: 5, ready: 2 });
      expect((await transport.pull({ batchSize: 1 })).messages).toHaveLength(1);
    });

    it('gives no message from an empty queue', async () => {
      const { transport } = await open();
      expect(await transport.pull({})).toMatchObject({ messages: [], backlogCount: 0 });
    });

    it('delays by message, by batch, or not', async () => {
      const { transport, broker } = await open();
      await transport.push({ body: 'a', delaySeconds: 60 });
      await transport.bulkPush({ messages: [{ body: 'b' }, { body: 'c', delaySeconds: 0 }], delaySeconds: 60 });
      expect(broker.inspect('jobs').messages.map(({ body, state }) => [body, state])).toEqual([
        ['a', 'delayed'],
        ['b', 'delayed'],
        ['c', 'ready'],
      ]);
    });

    it('acknowledges and retries, counts, and warns of each lease that is not known', async () => {
      const { transport, broker } = await open();
      await transport.bulkPush({ messages: [{ body: 1 }, { body: 2 }, { body: 3 }] });
      const [first, second, third] = (await transport.pull({})).messages.map(({ leaseId }) => leaseId);
      const result = await transport.ack({
        acks: [first ?? '', 'unknown-ack'],
        retries: [{ leaseId: second ?? '', delaySeconds: 60 }, { leaseId: third ?? '' }, { leaseId: 'unknown-retry' }],
      });
      expect(result).toMatchObject({ ackCount: 1, retryCount: 2, otherWarnings: [] });
      expect([...result.warnings.keys()].toSorted()).toEqual(['unknown-ack', 'unknown-retry']);
      expect(broker.inspect('jobs').messages.map(({ body, state }) => [body, state])).toEqual([
        [2, 'delayed'],
        [3, 'ready'],
      ]);
    });

    it('warns of nothing when all is well', async () => {
      const { transport } = await open();
      await transport.push({ body: 1 });
      const { messages } = await transport.pull({});
      const result = await transport.ack({ acks: messages.map(({ leaseId }) => leaseId), retries: [] });
      expect(result.ackCount).toBe(1);
      expect(result.warnings.size).toBe(0);
      expect(result.otherWarnings).toEqual([]);
    });

    it('settles 100 leases at once', async () => {
      const { transport, broker } = await open();
      await transport.bulkPush({ messages: Array.from({ length: 100 }, (_, body) => ({ body })) });
      const { messages } = await transport.pull({ batchSize: 100 });
      const { ackCount } = await transport.ack({ acks: messages.map(({ leaseId }) => leaseId), retries: [] });
      expect(ackCount).toBe(100);
      expect(broker.isEmpty('jobs')).toBe(true);
    });

    it('peeks without a lease, and purges what was peeked', async () => {
      const { transport, broker } = await open();
      await transport.bulkPush({ messages: [{ body: { a: 1 } }, { body: 'b' }] });
      const { messages } = await transport.peek({ batchSize: 1 });
      expect(messages).toMatchObject([{ body: { a: 1 }, contentType: 'json', attempts: 0 }]);
      expect((await transport.peek({})).messages).toHaveLength(2);
      expect(broker.inspect('jobs').counts.leased).toBe(0);
      const { warnings } = await transport.purge({ refs: [messages[0]?.ref ?? '', 'unknown'] });
      expect([...warnings.keys()]).toEqual(['unknown']);
      expect(broker.inspect('jobs').messages).toMatchObject([{ body: 'b' }]);
    });

    it('reads metrics', async () => {
      const { transport } = await open();
      expect(await transport.metrics()).toEqual({ backlogCount: 0, backlogBytes: 0, oldestMessageTimestampMs: 0 });
      await transport.push({ body: 'four' });
      const { backlogCount, backlogBytes, oldestMessageTimestampMs } = await transport.metrics();
      expect([backlogCount, backlogBytes]).toEqual([1, 4]);
      expect(oldestMessageTimestampMs).toBeGreaterThan(0);
    });

    it.each<[string, string, number, object, (transport: QueueTransport) => Promise<unknown>]>([
      ['a pull without a pull consumer', 'pull-not-enabled', 405, { httpPull: false }, (port) => port.pull({})],
      ['a pull while paused', 'delivery-paused', 409, { deliveryPaused: true }, (port) => port.pull({})],
      ['a large message', 'too-large', 400, {}, (port) => port.push({ body: 'x'.repeat(128_001) })],
      [
        'a large batch',
        'too-large',
        400,
        {},
        (port) => port.bulkPush({ messages: Array.from({ length: 3 }, () => ({ body: 'x'.repeat(100_000) })) }),
      ],
      [
        'too many messages',
        'too-large',
        400,
        {},
        (port) => port.bulkPush({ messages: Array.from({ length: 101 }, () => ({ body: 1 })) }),
      ],
    ])('rejects %s with the service’s code', async (_, code, status, settings, call) => {
      const { transport, broker } = await open();
      broker.queue('jobs', settings);
      const error = await call(transport).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(QueueError);
      expect(error).toMatchObject({ code, status });
      expect((error as QueueError).errors).toHaveLength(1);
      expect(broker.isEmpty('jobs')).toBe(true);
    });

    it.each<[string, (transport: QueueTransport) => Promise<unknown>, new () => Error]>([
      ['a batch size of 0', (port) => port.pull({ batchSize: 0 }), RangeError],
      ['a batch size of 101', (port) => port.pull({ batchSize: 101 }), RangeError],
      ['a lease of more than 12 h', (port) => port.pull({ visibilityTimeoutMs: 43_200_001 }), RangeError],
      ['a peek of 101', (port) => port.peek({ batchSize: 101 }), RangeError],
      ['a delay of more than a day', (port) => port.push({ body: 1, delaySeconds: 86_401 }), RangeError],
      ['an empty batch', (port) => port.bulkPush({ messages: [] }), RangeError],
      ['nothing to settle', (port) => port.ack({ acks: [], retries: [] }), RangeError],
      ['nothing to purge', (port) => port.purge({ refs: [] }), RangeError],
      ['a time of 0', (port) => port.metrics({ timeoutMs: 0 }), RangeError],
      ['a body without a form', (port) => port.push({ body: undefined }), TypeError],
      ['a string as json', (port) => port.push({ body: 'x', contentType: 'json' }), TypeError],
      ['bytes', (port) => port.push({ body: Uint8Array.of(1) }), TypeError],
    ])('rejects %s, which can not be sent', async (_, call, type) => {
      const { transport } = await open();
      expect(await call(transport).catch((reason: unknown) => reason)).toBeInstanceOf(type);
    });

    const calls: ReadonlyArray<[keyof QueueTransport, (port: QueueTransport, options: object) => Promise<unknown>]> = [
      ['push', (port, options) => port.push({ body: 1 }, options)],
      ['bulkPush', (port, options) => port.bulkPush({ messages: [{ body: 1 }] }, options)],
      ['pull', (port, options) => port.pull({}, options)],
      ['ack', (port, options) => port.ack({ acks: ['x'], retries: [] }, options)],
      ['peek', (port, options) => port.peek({}, options)],
      ['purge', (port, options) => port.purge({ refs: ['x'] }, options)],
      ['metrics', (port, options) => port.metrics(options)],
    ];

    it.each(calls)('%s rejects with the reason of an aborted signal, and does nothing', async (_, call) => {
      const { transport, broker } = await open();
      const reason = new Error('enough');
      await expect(call(transport, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      expect(broker.isEmpty('jobs')).toBe(true);
    });

    it.each(calls)('%s answers within its time, and lets go of the signal', async (_, call) => {
      const { transport } = await open();
      const { signal, count } = countedSignal();
      await call(transport, { signal, timeoutMs: 60_000 });
      expect(count()).toBe(0);
    });
  });
}
