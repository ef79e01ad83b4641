import { describe, expect, it } from 'vitest';
import { openJobs, queueError } from './jobs.ts';

const lease = { visibilityTimeoutMs: 10_000, maxVisibilityTimeoutMs: 10_000 } as const;

describe('stats', () => {
  it('tell when a pull, a message and a settlement last came through, by the wall clock', async () => {
    const jobs = openJobs({}, { latencyMs: 10 });
    const processor = jobs.queue.process(() => 1, { maxIdleMs: 1_000 });
    const none = { lastPullAt: undefined, lastMessageAt: undefined, lastSettlementAt: undefined };
    expect(processor.stats).toMatchObject({ at: jobs.clock.now(), ...none });
    const startedAt = jobs.clock.now();
    await jobs.clock.advance(15);
    expect(processor.stats).toMatchObject({ ...none, lastPullAt: startedAt + 10 });
    jobs.push(1);
    await jobs.clock.advance(2_000);
    const { lastMessageAt = 0, lastSettlementAt = 0 } = processor.stats;
    expect(lastMessageAt).toBeGreaterThan(startedAt + 10);
    expect(lastSettlementAt - lastMessageAt).toBe(10);
    const { at } = processor.stats;
    // What was long ago stays so when the clock is set.
    jobs.clock.jump(-500_000);
    await jobs.clock.advance(60_000);
    const later = processor.stats;
    expect(later.at).toBe(jobs.clock.now());
    expect(later.at - (later.lastPullAt ?? 0)).toBeLessThan(1_100);
    expect(later.at - (later.lastMessageAt ?? 0)).toBe(at - lastMessageAt + 60_000);
    await jobs.run(processor.close());
  });

  it('take no settlement for one that the service did not confirm', async () => {
    const jobs = openJobs();
    jobs.push(1);
    jobs.transport.fail('ack', queueError('network'));
    const processor = jobs.queue.process(() => 1, lease);
    await jobs.clock.advance(5_000);
    expect(processor.stats).toMatchObject({ delivered: 1, lastSettlementAt: undefined });
    await jobs.run(processor.close({ graceMs: 0 }));
  });

  it('tell how it stands with it, and why it ends', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const consumer = jobs.queue.consume();
    expect(consumer.stats).toMatchObject({ state: 'new' });
    const [message] = [await jobs.run(consumer[Symbol.asyncIterator]().next())];
    expect(consumer.stats).toMatchObject({ state: 'open' });
    expect(consumer.stats.reason).toBeUndefined();
    consumer.pause();
    expect(consumer.stats).toMatchObject({ state: 'paused' });
    consumer.resume();
    expect(consumer.stats).toMatchObject({ state: 'open' });
    const closed = consumer.close();
    expect(consumer.stats).toMatchObject({ state: 'closing', reason: 'closed' });
    void message.value?.ack();
    expect(await jobs.run(closed)).toMatchObject({ state: 'closed', reason: 'closed' });
    expect(consumer.stats).toMatchObject({ state: 'closed', reason: 'closed' });
    expect(consumer.stats).not.toHaveProperty('error');
  });

  it('tell the error that ended it', async () => {
    const jobs = openJobs();
    const error = queueError('unauthorized', { inEnvelope: true });
    jobs.transport.fail('pull', error);
    const processor = jobs.queue.process(() => 1);
    await jobs.run(processor.catch(() => 1));
    expect(processor.stats).toMatchObject({ state: 'closed', reason: 'failed', error });
  });

  it('tell until when pulls are held back', async () => {
    const jobs = openJobs();
    jobs.transport.fail('pull', queueError('rate-limited', { retryAfterMs: 60_000 }));
    const processor = jobs.queue.process(() => 1);
    const startedAt = jobs.clock.now();
    await jobs.clock.advance(10);
    expect(processor.stats).toMatchObject({ heldBackUntil: startedAt + 60_000 });
    await jobs.clock.advance(59_989);
    expect(processor.stats).toMatchObject({ heldBackUntil: startedAt + 60_000 });
    jobs.transport.script = (_, answer) => answer();
    await jobs.clock.advance(1_000);
    expect(processor.stats).toMatchObject({ heldBackUntil: undefined });
    await jobs.run(processor.close());
  });
});

describe('stats.pullDueAt', () => {
  it('is when an idle queue is to be asked again', async () => {
    const jobs = openJobs();
    const processor = jobs.queue.process(() => 1);
    await jobs.clock.advance(60_000);
    for (let second = 0; second < 20; second += 1) {
      await jobs.clock.advance(1_000);
      const { pullDueAt = 0, at } = processor.stats;
      expect(pullDueAt).toBeGreaterThan(at);
      expect(pullDueAt - at).toBeLessThanOrEqual(10_000);
    }
    await jobs.run(processor.close());
  });

  it('stays where it was while pulls fail, or are not answered', async () => {
    const jobs = openJobs();
    const processor = jobs.queue.process(() => 1);
    await jobs.clock.advance(1_000);
    const { pullDueAt = 0 } = processor.stats;
    jobs.transport.fail('pull', queueError('network'));
    await jobs.clock.advance(60_000);
    expect(processor.stats.pullDueAt).toBe(pullDueAt);
    jobs.transport.script = (__, answer) => answer();
    await jobs.clock.advance(30_000);
    const { pullDueAt: next = 0 } = processor.stats;
    expect(next).toBeGreaterThan(jobs.clock.now());
    jobs.transport.script = () => new Promise(() => undefined);
    await jobs.clock.advance(60_000);
    expect(processor.stats.pullDueAt).toBe(next);
    jobs.transport.script = (__, answer) => answer();
    await jobs.run(processor.close({ graceMs: 0 }));
  });

  it('goes on with the service, where delivery is paused', async () => {
    const jobs = openJobs();
    jobs.transport.fail('pull', queueError('delivery-paused'));
    const processor = jobs.queue.process(() => 1);
    await jobs.clock.advance(600_000);
    expect(jobs.clock.now() - (processor.stats.pullDueAt ?? 0)).toBeLessThan(1_000);
    await jobs.run(processor.close());
  });

  it('is none while all handlers are busy, paused, or ending', async () => {
    const jobs = openJobs();
    jobs.push(1, 2, 3, 4);
    const processor = jobs.queue.process(() => jobs.wait(600_000), {
      concurrency: 2,
      visibilityTimeoutMs: 3_600_000,
    });
    await jobs.clock.advance(60_000);
    expect(processor.stats).toMatchObject({ inFlight: 2, pullDueAt: undefined });
    processor.concurrency = 10;
    await jobs.clock.advance(1_000);
    expect(processor.stats.pullDueAt).toBeDefined();
    processor.pause();
    expect(processor.stats.pullDueAt).toBeUndefined();
    await jobs.clock.advance(60_000);
    expect(processor.stats.pullDueAt).toBeUndefined();
    processor.resume();
    await jobs.clock.advance(1);
    expect(jobs.clock.now() - (processor.stats.pullDueAt ?? 0)).toBeLessThanOrEqual(1);
    const closed = processor.close({ graceMs: 0 });
    expect(processor.stats.pullDueAt).toBeUndefined();
    await jobs.run(closed);
    expect(processor.stats.pullDueAt).toBeUndefined();
  });

  it('is kept while too many settlements are unconfirmed', async () => {
    const jobs = openJobs();
    jobs.push(...Array.from({ length: 50 }, (_, n) => n));
    jobs.transport.fail('ack', queueError('network'));
    const processor = jobs.queue.process(() => 1, { maxInFlight: 1, visibilityTimeoutMs: 600_000 });
    await jobs.clock.advance(300_000);
    const { pullDueAt = jobs.clock.now() } = processor.stats;
    expect(jobs.clock.now() - pullDueAt).toBeGreaterThan(200_000);
    jobs.transport.script = (_, answer) => answer();
    await jobs.run(processor.close({ graceMs: 0 }));
  });
});

describe('stats.stalledSince', () => {
  it('is when the last of the leases ended, where every handler is past its own', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const processor = jobs.queue.process(() => jobs.wait(60_000), {
      ...lease,
      concurrency: 2,
      onEvent: () => undefined,
    });
    const startedAt = jobs.clock.now();
    await jobs.clock.advance(1_000);
    // A pull under way holds the place of the other.
    jobs.push(2);
    await jobs.clock.advance(9_500);
    const { stalledSince } = processor.stats;
    expect(stalledSince).toBeUndefined();
    await jobs.clock.advance(2_000);
    expect(processor.stats.stalledSince).toBeGreaterThan(startedAt + 10_000);
    expect(processor.stats.stalledSince).toBeLessThanOrEqual(startedAt + 12_000);
    await jobs.clock.advance(60_000);
    expect(processor.stats.stalledSince).toBeUndefined();
    await jobs.run(processor.close());
  });

  it('is none with a handler to spare, or code that can not be seen', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const processor = jobs.queue.process(() => jobs.wait(30_000), {
      ...lease,
      maxRetries: 0,
      onEvent: () => undefined,
    });
    await jobs.clock.advance(20_000);
    expect(processor.stats).toMatchObject({ stalledSince: undefined });
    await jobs.run(processor.close());
  });
});
