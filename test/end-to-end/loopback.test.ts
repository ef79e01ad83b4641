import { afterEach, describe, expect, it } from 'vitest';
import { type BrokerServer, createBroker, type JournalEntry, type QueueSettings } from '../../src/broker.ts';
import { type ConsumerSummary, openQueue, type Queue } from '../../src/index.ts';

const servers: BrokerServer[] = [];

async function open(settings: QueueSettings = {}) {
  const journal: JournalEntry[] = [];
  const broker = createBroker({ onJournal: (entry) => void journal.push(entry) });
  const server = await broker.listen();
  servers.push(server);
  const queue: Queue<number> = openQueue<number>({ ...server.queue('jobs', settings) });
  const count = (type: JournalEntry['type']): number => journal.filter((entry) => entry.type === type).length;
  const idsOf = (type: JournalEntry['type']): string[] =>
    journal.filter((entry) => entry.type === type).map(({ messageId }) => messageId);
  return { broker, queue, count, idsOf };
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

const items = (count: number): Array<{ body: number }> => Array.from({ length: count }, (_, body) => ({ body }));

describe('over a socket', () => {
  it('acknowledges 1 000 messages once each, repeats none, and leaves none leased', async () => {
    const { broker, queue, count, idsOf } = await open();
    await queue.sendBatch(items(1_000));
    const seen = new Set<number>();
    const consumer = queue.consume({ stopWhenEmpty: true });
    for await (const message of consumer) seen.add(message.body);
    const summary = await consumer.closed;
    expect(seen.size).toBe(1_000);
    expect(new Set(idsOf('acked')).size).toBe(1_000);
    expect([count('acked'), count('delivered'), count('retried'), count('expired')]).toEqual([1_000, 1_000, 0, 0]);
    expect(broker.inspect('jobs').counts).toEqual({ ready: 0, delayed: 0, leased: 0, total: 0 });
    expect(summary).toMatchObject({
      reason: 'empty',
      delivered: 1_000,
      acked: 1_000,
      released: 0,
      lost: 0,
      unknown: 0,
    });
    // 10 of a full batch each would be the least.
    expect(summary.pulls).toBeLessThanOrEqual(100);
    expect(summary.settleCalls).toBeLessThanOrEqual(400);
  });

  it('sits out an outage of what its handlers need, and handles every message after it', async () => {
    const { broker, queue, count } = await open({ maxRetries: 3, deadLetterQueue: 'dead' });
    await queue.sendBatch(items(1_000));
    const told: string[] = [];
    const shutdown = new AbortController();
    const seen = new Set<number>();
    let isDown = true;
    const done = queue.process(
      async ({ body }) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        if (isDown) throw new Error('down');
        seen.add(body);
        if (seen.size === 1_000) shutdown.abort();
      },
      {
        signal: shutdown.signal,
        onEvent: ({ type }) => {
          if (!type.startsWith('breaker')) return;
          told.push(type);
          if (type === 'breakerOpened') setTimeout(() => (isDown = false), 4_000);
        },
      },
    );
    const { acked } = await done;
    expect([acked, seen.size, told]).toEqual([1_000, 1_000, ['breakerOpened', 'breakerClosed']]);
    expect([count('deadLettered'), broker.inspect('jobs').counts.total]).toEqual([0, 0]);
    expect(count('delivered')).toBeLessThanOrEqual(1_500);
  }, 60_000);

  it('leaves nothing leased when it is closed in the middle', async () => {
    const { broker, queue, count } = await open();
    await queue.sendBatch(items(1_000));
    const consumer = queue.consume();
    let seen = 0;
    let summary: ConsumerSummary | undefined;
    for await (const message of consumer) {
      seen += 1;
      if (seen < 300) continue;
      await message.ack();
      summary = await consumer.close();
    }
    expect(summary).toMatchObject({ reason: 'closed', delivered: 300, acked: 300 });
    expect(broker.inspect('jobs').counts).toMatchObject({ leased: 0, total: 700 });
    expect(count('acked')).toBe(300);
  });

  it('brings every message to its end although handlers fail', async () => {
    const { broker, queue, count, idsOf } = await open({ maxRetries: 10 });
    await queue.sendBatch(items(300));
    const consumer = queue.consume({ stopWhenEmpty: true, maxRetries: 10 });
    for await (const message of consumer) {
      // Each third one fails at first, each ninth twice.
      const failures = message.body % 9 === 0 ? 2 : message.body % 3 === 0 ? 1 : 0;
      if (message.attempts <= failures) void message.retry({ delaySeconds: 0 });
    }
    expect(await consumer.closed).toMatchObject({ acked: 300, retried: 134, lost: 0, unknown: 0 });
    expect(new Set(idsOf('acked')).size).toBe(300);
    expect([count('acked'), count('retried'), count('expired'), count('removed')]).toEqual([300, 134, 0, 0]);
    expect(broker.isEmpty('jobs')).toBe(true);
  });

  it('handles messages of one key one after the other and in order, also after one that fails', async () => {
    const { broker, queue } = await open({ maxRetries: 10 });
    await queue.sendBatch(items(200));
    const running = new Set<number>();
    const done = new Map<number, number[]>();
    const summary = await queue.process(
      async ({ body, attempts }) => {
        const key = body % 7;
        expect(running.has(key)).toBe(false);
        running.add(key);
        await new Promise((resolve) => setTimeout(resolve, body % 3));
        running.delete(key);
        if (body % 31 === 5 && attempts === 1) throw new Error('not yet');
        done.set(key, [...(done.get(key) ?? []), body]);
      },
      { key: ({ body }) => String(body % 7), retryDelaySeconds: 1, maxRetries: 10, stopWhenEmpty: { forMs: 3_000 } },
    );
    expect(summary).toMatchObject({ acked: 200, retried: 7, lost: 0 });
    for (const numbers of done.values()) expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(broker.isEmpty('jobs')).toBe(true);
  }, 60_000);

  it('keeps the order of the queue with ordered', async () => {
    const { queue } = await open();
    await queue.sendBatch(items(300));
    const seen: number[] = [];
    for await (const { body } of queue.consume({ ordered: true, stopWhenEmpty: true })) seen.push(body);
    expect(seen).toEqual(items(300).map(({ body }) => body));
  });

  it('moves what always fails to the dead letter queue', async () => {
    const { broker, queue, idsOf } = await open({ maxRetries: 2, deadLetterQueue: 'failed' });
    await queue.sendBatch(items(30));
    const consumer = queue.consume({ stopWhenEmpty: true, maxRetries: 2 });
    for await (const message of consumer) if (message.body % 10 === 0) void message.retry({ delaySeconds: 0 });
    expect(broker.isEmpty('jobs')).toBe(true);
    expect(broker.inspect('failed').messages.map(({ body }) => body)).toEqual([0, 10, 20]);
    expect(idsOf('acked')).toHaveLength(27);
    expect(await consumer.closed).toMatchObject({ acked: 27, retried: 9, delivered: 36 });
  });
});
