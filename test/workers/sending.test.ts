import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Broker, type BrokerServer, createBroker, type JournalEntry } from '../../src/broker.ts';
import { installWorkerd, type RunningWorker, startWorker } from './workerd.ts';
import { numbers } from '../numbers.ts';

let broker: Broker;
let server: BrokerServer;
let worker: RunningWorker;
let journal: JournalEntry[];

beforeAll(installWorkerd, 300_000);

beforeEach(async () => {
  journal = [];
  broker = createBroker({ queues: { jobs: {} }, onJournal: (entry) => void journal.push(entry) });
  server = await broker.listen();
  worker = await startWorker('sending.worker.mjs', { bindings: { QUEUE: server.queue('jobs') } });
}, 60_000);

afterEach(async () => {
  await worker[Symbol.asyncDispose]();
  await server.close();
});

const pushed = (): string[] => broker.inspect('jobs').messages.map(({ body }) => (body as { id: string }).id);

/** Asks, and goes away meanwhile. */
async function askAndLeave(path: string, afterMs: number): Promise<void> {
  const controller = new AbortController();
  const asked = worker.ask(path, { signal: controller.signal }).catch(() => undefined);
  await new Promise((resolve) => {
    setTimeout(resolve, afterMs);
  });
  controller.abort();
  await asked;
}

describe('send(), by a handle that outlives the requests of a Worker', { timeout: 120_000 }, () => {
  it('answers a thousand requests at once, some of which are cancelled, and pushes each message once', async () => {
    broker.setFaults({ latencyMs: [5, 50], calls: ['push'] });
    const asked = numbers(1_000).map((id) => worker.ask(`/send?id=${id}`));
    const left = numbers(100).map((id) => askAndLeave(`/send?id=left-${id}`, id % 60));
    const answers = await Promise.all(asked);
    await Promise.all(left);
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    const ids = pushed();
    expect(new Set(ids).size).toBe(ids.length);
    expect(numbers(1_000).filter((id) => !ids.includes(String(id)))).toEqual([]);
    expect(await worker.ask('/send?id=afterwards')).toEqual({ status: 200, text: 'sent' });
  });

  it('goes on after sends that nobody waited for, and keeps those that waitUntil() does', async () => {
    broker.setFaults({ latencyMs: 20, calls: ['push'] });
    const forgotten = await Promise.all(numbers(30).map((id) => worker.ask(`/forget?id=forgotten-${id}`)));
    expect(forgotten.filter(({ text }) => text !== 'forgotten')).toEqual([]);
    const later = await Promise.all(numbers(30).map((id) => worker.ask(`/later?id=later-${id}`)));
    expect(later.filter(({ text }) => text !== 'later')).toEqual([]);
    const sent = await Promise.all(numbers(30).map((id) => worker.ask(`/send?id=sent-${id}`)));
    expect(sent.filter(({ text }) => text !== 'sent')).toEqual([]);
    await expect.poll(() => pushed().filter((id) => id.startsWith('later-'))).toHaveLength(30);
    expect(pushed().filter((id) => id.startsWith('sent-'))).toHaveLength(30);
  });

  it('has each request repeat what failed of its own', async () => {
    broker.setFaults({ failBefore: 0.3, rateLimit: 0.02, latencyMs: 5, calls: ['push'] });
    const answers = await Promise.all(numbers(100).map((id) => worker.ask(`/send?id=${id}`)));
    expect(answers.filter(({ text }) => text !== 'sent')).toEqual([]);
    expect(pushed()).toHaveLength(100);
  });

  it('shares requests among the messages of one, and writes them by streams', async () => {
    const asked = [...numbers(4).map((id) => `/send-many?id=${id}`), ...numbers(4).map((id) => `/write?id=w${id}`)];
    const answers = await Promise.all(asked.map((path) => worker.ask(path)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(new Set(pushed()).size).toBe(4 * 250 + 4 * 3);
    expect(pushed()).toHaveLength(4 * 250 + 4 * 3);
  });

  it('wakes no consumer of another request', async () => {
    const consumed = Promise.all(numbers(5).map(() => worker.ask('/consume?id=1')));
    await askAndLeave('/consume?id=1', 500);
    // One more, which the consumer that was cancelled may have got before that was seen.
    const sent = await Promise.all(numbers(6).map((id) => worker.ask(`/send?id=${id}`)));
    expect(sent.filter(({ text }) => text !== 'sent')).toEqual([]);
    const answers = await consumed;
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(5);
  });
});
