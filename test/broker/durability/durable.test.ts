import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Broker,
  createBroker,
  type DurableBroker,
  ManualClock,
  openBroker,
  type QueueSettings,
} from '../../../src/broker.ts';
import { DurableLog } from '../../../src/broker/durability/durable-log.ts';
import { Identities } from '../../../src/broker/queue/identities.ts';
import type { KeyValueStore } from '../../../src/broker/durability/key-value-store.ts';
import { createBrokerOver } from '../../../src/broker/in-memory-broker.ts';
import { resolveBrokerOptions } from '../../../src/broker/broker-options.ts';
import { openLevelStore } from '../../../src/broker/durability/level-store.ts';

let directory: string;
let clock: ManualClock;
const opened: DurableBroker[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leasestream-data-'));
  clock = new ManualClock({ now: 1_000_000 });
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((broker) => broker.close()));
  await rm(directory, { recursive: true, force: true });
});

async function open(queues: Record<string, QueueSettings> = {}): Promise<DurableBroker> {
  const broker = await openBroker({ directory, clock, queues });
  opened.push(broker);
  return broker;
}

async function renameQueue(broker: Broker, name: string, to: string): Promise<void> {
  const { baseUrl, accountId, apiToken, queueId } = broker.queue(name);
  const headers = { authorization: `Bearer ${apiToken}` };
  const init = { method: 'PATCH', headers, body: JSON.stringify({ queue_name: to }) };
  expect((await broker.fetch(`${baseUrl}/accounts/${accountId}/queues/${queueId}`, init)).status).toBe(200);
}

async function reopen(broker: DurableBroker): Promise<DurableBroker> {
  await broker.close();
  return open();
}

describe('openBroker()', () => {
  it('keeps queues, settings, consumers, messages, delays, attempts, leases and refs', async () => {
    let broker = await open({ jobs: { maxRetries: 7, deadLetterQueue: 'dead', retentionSeconds: 600 }, other: {} });
    broker.push('jobs', { body: { a: 1 } });
    broker.push('jobs', { body: 'é', delaySeconds: 60 });
    broker.push('jobs', { body: Uint8Array.of(1, 2) });
    const before = broker.transport('jobs');
    const { messages } = await before.pull({ batchSize: 2, visibilityTimeoutMs: 20_000 });
    await before.ack({ acks: [], retries: [{ leaseId: messages[0]?.leaseId ?? '', delaySeconds: 5 }] });
    await clock.advance(5_000);
    const { messages: again } = await before.pull({ batchSize: 1, visibilityTimeoutMs: 20_000 });
    await clock.advance(20_000);
    const { messages: peeked } = await before.peek({});
    const snapshot = ['jobs', 'dead', 'other'].map((name) => broker.inspect(name));

    broker = await reopen(broker);
    expect(broker.queueNames().toSorted()).toEqual(['dead', 'jobs', 'other']);
    expect(['jobs', 'dead', 'other'].map((name) => broker.inspect(name))).toEqual(snapshot);
    const after = broker.transport('jobs');
    expect((await after.purge({ refs: [peeked[0]?.ref ?? ''] })).warnings.size).toBe(0);
    // A lease that ended before the restart is still good for a late ack.
    const settled = await after.ack({ acks: [again[0]?.leaseId ?? ''], retries: [] });
    expect(settled).toMatchObject({ ackCount: 1 });
    expect(broker.inspect('jobs').messages.map(({ body }) => body)).toEqual(['é']);
  });

  it('keeps what a client made of it over HTTP, deletions included', async () => {
    let broker = await open();
    const { baseUrl, accountId, apiToken } = broker.queue('jobs');
    const manage = async (method: string, path: string, body?: unknown) => {
      const init = { method, headers: { authorization: `Bearer ${apiToken}` } };
      const url = `${baseUrl}/accounts/${accountId}/queues${path}`;
      const response = await broker.fetch(url, body === undefined ? init : { ...init, body: JSON.stringify(body) });
      const { result } = (await response.json()) as { result: { queue_id: string } };
      return result;
    };
    const { queue_id } = await manage('POST', '', { queue_name: 'made', settings: { delivery_paused: true } });
    const consumer = { type: 'http_pull', settings: { max_retries: 9 } };
    await manage('POST', `/${queue_id}/consumers`, consumer);
    const { queue_id: worked } = await manage('POST', '', { queue_name: 'worked', jurisdiction: 'eu' });
    await manage('POST', `/${worked}/consumers`, { type: 'worker', script_name: 'my-worker' });
    const { queue_id: gone } = await manage('POST', '', { queue_name: 'gone' });
    await manage('POST', `/${gone}/messages`, { body: 1 });
    await manage('DELETE', `/${gone}`);
    const made = await manage('GET', `/${queue_id}`);
    const withWorker = await manage('GET', `/${worked}`);
    broker = await reopen(broker);
    expect(broker.queueNames().toSorted()).toEqual(['jobs', 'made', 'worked']);
    expect(await manage('GET', `/${queue_id}`)).toEqual(made);
    expect(await manage('GET', `/${worked}`)).toEqual(withWorker);
    expect(withWorker).toMatchObject({ jurisdiction: 'eu', consumers: [{ script: 'my-worker' }] });
    await manage('POST', '', { queue_name: 'gone' });
    expect(broker.isEmpty('gone')).toBe(true);
  });

  it('keeps event subscriptions', async () => {
    let broker = await open({ jobs: {} });
    const events = ['bucket.created'];
    const kept = broker.subscribe('jobs', { source: { type: 'r2' }, events });
    const { baseUrl, accountId, apiToken } = broker.queue('jobs');
    const subscriptions = async (method: string, path: string) => {
      const init = { method, headers: { authorization: `Bearer ${apiToken}` } };
      const url = `${baseUrl}/accounts/${accountId}/event_subscriptions/subscriptions${path}`;
      return (await broker.fetch(url, init)).json();
    };
    const gone = broker.subscribe('jobs', { source: { type: 'kv' }, events: ['namespace.created'] });
    await subscriptions('DELETE', `/${gone}`);
    const before = await subscriptions('GET', '');
    broker = await reopen(broker);
    expect(await subscriptions('GET', '')).toEqual(before);
    expect(before).toMatchObject({ result: [{ id: kept, events }] });
    broker.emitEvent(kept, { event: 'bucket.created' });
    expect(broker.inspect('jobs').counts.total).toBe(1);
  });

  it('keeps the order in which queues were made', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `q${index}`);
    let broker = await open(Object.fromEntries(names.map((name) => [name, {}])));
    broker = await reopen(broker);
    expect(broker.queueNames()).toEqual(names);
    broker.queue('last');
    await broker.transport('last').push({ body: 1 });
    broker = await reopen(broker);
    expect(broker.queueNames()).toEqual([...names, 'last']);
  });

  it('keeps JSON as it was written', async () => {
    let broker = await open({ jobs: {} });
    const { baseUrl, accountId, queueId, apiToken } = broker.queue('jobs');
    const call = async (path: string, body: string) => {
      const init = { method: 'POST', headers: { authorization: `Bearer ${apiToken}` }, body };
      return broker.fetch(`${baseUrl}/accounts/${accountId}/queues/${queueId}/messages${path}`, init);
    };
    await call('', '{"body":{"id":1234567890123456789,"price": 1.10}}');
    broker = await reopen(broker);
    expect(await (await call('/pull', '{}')).json()).toMatchObject({
      result: { messages: [{ body: '{"id":1234567890123456789,"price": 1.10}' }] },
    });
  });

  it('lets time go on while it is closed', async () => {
    let broker = await open({ jobs: { maxRetries: 0, deadLetterQueue: 'dead' } });
    broker.push('jobs', { body: 1 });
    await broker.transport('jobs').pull({ visibilityTimeoutMs: 1_000 });
    await broker.close();
    await clock.advance(1_000);
    broker = await open();
    expect(broker.isEmpty('jobs')).toBe(true);
    expect(broker.inspect('dead').counts.ready).toBe(1);
  });

  it('never gives an id, a lease or a ref twice', async () => {
    const seen = new Set<string>();
    let broker = await open({ jobs: { maxRetries: 100 } });
    for (let round = 0; round < 5; round += 1) {
      broker.push('jobs', { body: round });
      const { messages } = await broker.transport('jobs').pull({ batchSize: 100, visibilityTimeoutMs: 1 });
      for (const { leaseId } of messages) {
        expect(seen.has(leaseId)).toBe(false);
        seen.add(leaseId);
      }
      await clock.advance(1);
      broker = await reopen(broker);
    }
    expect(seen.size).toBe(15);
  });

  it('lays new settings over those that are kept', async () => {
    const broker = await open({ jobs: { maxRetries: 7, retryDelaySeconds: 3 } });
    await broker.close();
    const again = await open({ jobs: { maxRetries: 8 } });
    const { baseUrl, accountId, apiToken, queueId } = again.queue('jobs');
    const response = await again.fetch(`${baseUrl}/accounts/${accountId}/queues/${queueId}/consumers`, {
      headers: { authorization: `Bearer ${apiToken}` },
    });
    const { result } = (await response.json()) as { result: { settings: unknown }[] };
    expect(result[0]?.settings).toMatchObject({ max_retries: 8, retry_delay: 3 });
  });

  it('is for one process at a time', async () => {
    await open();
    await expect(openBroker({ directory })).rejects.toThrow('another process has it open');
  });

  it.each([{ directory: '' }, { directory: 7 }, {}])('refuses %j', async (options) => {
    await expect(openBroker(options as never)).rejects.toThrow("'directory' must be");
  });

  it('refuses a store of another format, and gives the directory free', async () => {
    const store = await openLevelStore(directory);
    await store.write([['format', '99']]);
    await store.close();
    await expect(openBroker({ directory })).rejects.toThrow('kept in format 99');
    await expect(openBroker({ directory })).rejects.toThrow('kept in format 99');
  });

  it('holds after a restart what a broker in memory holds, after any commands', async () => {
    const command = fc.oneof(
      fc.record({ type: fc.constant('push' as const), delaySeconds: fc.constantFrom(0, 0, 2) }),
      fc.record({ type: fc.constant('pull' as const), count: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ type: fc.constantFrom('ack' as const, 'retry' as const), which: fc.nat(9) }),
      fc.record({ type: fc.constant('rename' as const), of: fc.constantFrom('jobs', 'dead'), to: fc.nat(3) }),
      fc.record({ type: fc.constantFrom('purge' as const, 'peek' as const, 'wait' as const, 'reopen' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 40 }), async (commands) => {
        await rm(directory, { recursive: true, force: true });
        const queues = { jobs: { maxRetries: 1, deadLetterQueue: 'dead' } };
        const random = (): number => 0.5;
        const time = new ManualClock({ now: 0 });
        const reference = createBroker({ clock: time, random, queues });
        let durable = await openBroker({ directory, clock: time, random, queues });
        try {
          const leases: string[] = [];
          for (const each of commands) {
            if (each.type === 'wait') time.suspend(1_000);
            if (each.type === 'reopen') {
              await durable.close();
              durable = await openBroker({ directory, clock: time, random });
            }
            for (const broker of [reference, durable]) {
              if (each.type === 'rename') await renameQueue(broker, each.of, `${each.of}${each.to}`);
              const transport = broker.transport('jobs');
              if (each.type === 'push') broker.push('jobs', { body: 'x', delaySeconds: each.delaySeconds });
              else if (each.type === 'pull') {
                const { messages } = await transport.pull({ batchSize: each.count, visibilityTimeoutMs: 1_000 });
                if (broker === durable) leases.push(...messages.map(({ leaseId }) => leaseId));
              } else if (each.type === 'ack' && leases.length > 0) {
                await transport.ack({ acks: [leases[each.which % leases.length] ?? ''], retries: [] });
              } else if (each.type === 'retry' && leases.length > 0) {
                const leaseId = leases[each.which % leases.length] ?? '';
                await transport.ack({ acks: [], retries: [{ leaseId, delaySeconds: 1 }] });
              } else if (each.type === 'peek') await transport.peek({});
              else if (each.type === 'purge') {
                const { messages } = await transport.peek({ batchSize: 1 });
                if (messages[0] !== undefined) await transport.purge({ refs: [messages[0].ref] });
              }
            }
          }
          await durable.close();
          durable = await openBroker({ directory, clock: time, random });
          for (const name of ['jobs', 'dead']) expect(durable.inspect(name)).toEqual(reference.inspect(name));
        } finally {
          await durable.close();
        }
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});

describe('a directory of format 1, whose versions made ids from names', () => {
  const kept = join(import.meta.dirname, 'kept-in-format-1');
  interface Seen {
    readonly queues: readonly { readonly queue_id: string; readonly queue_name: string }[];
    readonly leaseId: string;
    readonly ref: string;
  }

  const call = async (broker: DurableBroker, method: string, path: string, body?: unknown) => {
    const { baseUrl, accountId, apiToken } = broker.queue('jobs');
    const init = { method, headers: { authorization: `Bearer ${apiToken}` } };
    const url = `${baseUrl}/accounts/${accountId}/queues${path}`;
    const response = await broker.fetch(url, body === undefined ? init : { ...init, body: JSON.stringify(body) });
    return (await response.json()) as { result: readonly Record<string, unknown>[] };
  };
  const identity = ({ queue_id, queue_name, consumers }: Record<string, unknown>): string => {
    const ids = (consumers as readonly { consumer_id: string }[]).map(({ consumer_id }) => consumer_id);
    return [queue_id, queue_name, ...ids].join(' ');
  };

  const openKept = async (): Promise<{ broker: DurableBroker; seen: Seen }> => {
    await cp(kept, directory, { recursive: true });
    await rm(join(directory, 'seen.json'));
    const seen = JSON.parse(await readFile(join(kept, 'seen.json'), 'utf8')) as Seen;
    return { broker: await open({ jobs: {} }), seen };
  };

  it('opens with its ids, consumers, messages, leases and refs', async () => {
    const { broker, seen } = await openKept();
    const { result } = await call(broker, 'GET', '');
    expect(result.map(identity).toSorted()).toEqual(seen.queues.map(identity).toSorted());
    expect(broker.inspect('jobs').messages).toMatchObject([
      { body: { a: 1 }, state: 'leased', attempts: 1 },
      { body: 'é', state: 'delayed' },
    ]);
    expect(await broker.transport('jobs').ack({ acks: [seen.leaseId], retries: [] })).toMatchObject({ ackCount: 1 });
    expect((await broker.transport('mail').purge({ refs: [seen.ref] })).warnings.size).toBe(0);
  });

  it('is renamed in and opened again', async () => {
    const { broker, seen } = await openKept();
    const id = seen.queues.find(({ queue_name }) => queue_name === 'jobs')?.queue_id ?? '';
    await call(broker, 'PATCH', `/${id}`, { queue_name: 'orders' });
    await call(broker, 'POST', '', { queue_name: 'jobs' });
    const names = broker.queueNames().toSorted();
    const before = names.map((name) => broker.inspect(name));
    const again = await reopen(broker);
    expect(again.queueNames().toSorted()).toEqual(names);
    expect(names.map((name) => again.inspect(name))).toEqual(before);
    expect(again.inspect('orders')).toMatchObject({ queueId: id, counts: { total: 2 } });
    expect(again.inspect('jobs').counts.total).toBe(0);
  });

  it('is of format 2 then, which those versions refuse rather than lose what it does not find', async () => {
    const { broker } = await openKept();
    await broker.close();
    const store = await openLevelStore(directory);
    const entries = new Map<string, string>();
    for await (const [key, value] of store.entries()) entries.set(key, value);
    await store.close();
    expect(entries.get('format')).toBe('2');
  });
});

describe('a durable broker whose queue was renamed', () => {
  const renamed = async (): Promise<{ queueId: string }> => {
    const broker = await open({ jobs: { maxRetries: 7, deadLetterQueue: 'dead' } });
    const { queueId } = broker.queue('jobs');
    broker.push('jobs', { body: 'kept' });
    await renameQueue(broker, 'jobs', 'orders');
    await broker.close();
    return { queueId };
  };

  it('keeps id and name, and lays what is given for the old name over it', async () => {
    const { queueId } = await renamed();
    const broker = await open({ jobs: { retryDelaySeconds: 3, deadLetterQueue: 'dead' } });
    expect(broker.queueNames().toSorted()).toEqual(['dead', 'orders']);
    expect(broker.queue('jobs')).toMatchObject({ queueId, queueName: 'orders' });
    expect(broker.inspect('orders').messages).toMatchObject([{ body: 'kept' }]);
  });

  it('takes what is given for the new name where both are given', async () => {
    await renamed();
    const broker = await open({ orders: { maxRetries: 1 }, jobs: { maxRetries: 2 } });
    expect(broker.queueNames().toSorted()).toEqual(['dead', 'orders']);
    const { baseUrl, accountId, apiToken, queueId } = broker.queue('orders');
    const init = { headers: { authorization: `Bearer ${apiToken}` } };
    const response = await broker.fetch(`${baseUrl}/accounts/${accountId}/queues/${queueId}/consumers`, init);
    expect(await response.json()).toMatchObject({ result: [{ settings: { max_retries: 1 } }] });
  });
});

describe('DurableLog', () => {
  /** A store whose writes end when the test says. */
  class HeldStore implements KeyValueStore {
    readonly writes: { readonly keys: string[]; readonly end: (error?: Error) => void }[] = [];
    async *entries(): AsyncGenerator<readonly [string, string], void, undefined> {}
    write(changes: readonly (readonly [string, string | undefined])[]): Promise<void> {
      return new Promise((resolve, reject) => {
        const end = (error?: Error): void => (error === undefined ? resolve() : reject(error));
        this.writes.push({ keys: changes.map(([key]) => key), end });
      });
    }
    close = (): Promise<void> => Promise.resolve();
  }

  const setUp = () => {
    const store = new HeldStore();
    const identities = new Identities(Math.random);
    const options = { clock };
    const recorder = new DurableLog(store, identities);
    const broker = createBrokerOver({ options, resolved: resolveBrokerOptions(options), identities, recorder });
    const { baseUrl, accountId, queueId, apiToken } = broker.queue('jobs');
    const push = async (): Promise<number> => {
      const init = { method: 'POST', headers: { authorization: `Bearer ${apiToken}` }, body: '{"body":1}' };
      return (await broker.fetch(`${baseUrl}/accounts/${accountId}/queues/${queueId}/messages`, init)).status;
    };
    return { store, broker, push };
  };
  const turn = (): Promise<void> => clock.advance(0);

  it('answers only when all is kept, and writes for many at once', async () => {
    const { store, push } = setUp();
    let answered = 0;
    const first = push().then((status) => {
      answered += 1;
      return status;
    });
    await turn();
    const rest = Promise.all([push(), push(), push()]);
    await turn();
    expect([store.writes.length, answered]).toEqual([1, 0]);
    store.writes[0]?.end();
    expect(await first).toBe(200);
    await turn();
    // The three that came meanwhile share the second write.
    expect(store.writes).toHaveLength(2);
    expect(store.writes[1]?.keys.filter((key) => key.startsWith('message/'))).toHaveLength(3);
    store.writes[1]?.end();
    expect(await rest).toEqual([200, 200, 200]);
  });

  it('answers with 500 from the first write that fails', async () => {
    const { store, push, broker } = setUp();
    const failed = push();
    await turn();
    store.writes[0]?.end(new Error('disk full'));
    expect(await failed).toBe(500);
    expect(await push()).toBe(500);
    await expect(broker.transport('jobs').push({ body: 1 })).rejects.toThrow('disk full');
    expect(store.writes).toHaveLength(1);
  });
});
