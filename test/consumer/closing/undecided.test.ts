import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/contract/clock.ts';
import { delay } from '../../../src/contract/delay.ts';
import { type Jobs, openJobs, queueError } from '../jobs.ts';

async function later<Value>(value: Value, clock: Clock, ms: number): Promise<Value> {
  await delay(undefined, clock, ms);
  return value;
}

/** A queue of text, whose schema takes as long as the promise that `judged` gives then. */
function openSlowJobs(judged: () => Promise<boolean>): Jobs<string> {
  return openJobs<string>({}, { schema: v.pipeAsync(v.string(), v.checkAsync(judged)) });
}

describe('close() while a message waits for its schema or for onInvalid', () => {
  it('gives back what the schema has not answered for a second after the grace, and heeds no later answer', async () => {
    let answer: (isValid: boolean) => void = () => undefined;
    const jobs = openSlowJobs(() => new Promise((resolve) => (answer = resolve)));
    jobs.push('one');
    const consumer = jobs.queue.consume();
    const reader = consumer[Symbol.asyncIterator]();
    const next = reader.next();
    await jobs.run(jobs.wait(100));
    const summary = await jobs.run(consumer.close({ graceMs: 500 }));
    expect(summary).toMatchObject({ received: 1, delivered: 0, released: 1, buffered: 0, reason: 'closed' });
    expect(jobs.clock.now()).toBe(1_000_000 + 100 + 500 + 1_000);
    expect(jobs.entries('retried')).toHaveLength(1);
    answer(true);
    await jobs.run(jobs.wait(20_000));
    expect(await next).toEqual({ done: true, value: undefined });
    expect(consumer.stats).toMatchObject({ delivered: 0, released: 1, invalid: 0 });
    expect(jobs.entries('retried')).toHaveLength(1);
  });

  it('acknowledges what it has finished before rather than giving it back, also where the schema has not answered', async () => {
    let isSlow = false;
    const jobs = openSlowJobs(() => (isSlow ? new Promise(() => undefined) : Promise.resolve(true)));
    jobs.push('once');
    // The first acknowledgement does not get there in time, so that the message comes again.
    let isDeaf = true;
    jobs.transport.script = (call, answer) =>
      call.method === 'ack' && isDeaf ? Promise.reject(queueError('network')) : answer();
    const consumer = jobs.queue.consume({ visibilityTimeoutMs: 2_000 });
    const reader = consumer[Symbol.asyncIterator]();
    await jobs.run(reader.next());
    isSlow = true;
    const next = reader.next();
    await jobs.run(jobs.wait(3_000));
    isDeaf = false;
    await jobs.run(consumer.close({ graceMs: 0 }));
    await next;
    expect(consumer.stats).toMatchObject({ received: 2, delivered: 1, reacked: 1, released: 0 });
  });

  it('gives back a message of which onInvalid has not said what is to become', async () => {
    const jobs = openJobs({}, { schema: v.number() });
    jobs.push('not a number');
    const consumer = jobs.queue.consume({ onInvalid: () => later('ack' as const, jobs.clock, 10_000) });
    const reader = consumer[Symbol.asyncIterator]();
    const next = reader.next();
    await jobs.run(jobs.wait(100));
    await jobs.run(consumer.close({ graceMs: 0 }));
    expect(jobs.entries('retried')).toHaveLength(1);
    await jobs.run(jobs.wait(20_000));
    await next;
    expect(jobs.entries('acked')).toEqual([]);
  });

  it('follows an onInvalid that answers in time', async () => {
    const jobs = openJobs({}, { schema: v.number() });
    jobs.push('not a number');
    const consumer = jobs.queue.consume({ onInvalid: () => later('ack' as const, jobs.clock, 900) });
    const reader = consumer[Symbol.asyncIterator]();
    const next = reader.next();
    await jobs.run(jobs.wait(100));
    await jobs.run(consumer.close({ graceMs: 0 }));
    await next;
    expect(jobs.entries('acked')).toHaveLength(1);
    expect(jobs.entries('retried')).toEqual([]);
  });

  it('follows an onInvalid that computed for longer than the lease', async () => {
    const schema = v.pipeAsync(
      v.string(),
      v.checkAsync(() => later(false, jobs.clock, 1_000)),
    );
    const jobs: Jobs<string> = openJobs<string>({}, { schema });
    jobs.push('one');
    const onInvalid = (): 'ack' => {
      jobs.clock.block(30_000);
      return 'ack';
    };
    const consumer = jobs.queue.consume({ visibilityTimeoutMs: 10_000, onInvalid });
    const next = consumer[Symbol.asyncIterator]().next();
    await jobs.run(jobs.wait(100));
    await jobs.run(consumer.close({ graceMs: 5_000 }));
    await next;
    expect(jobs.entries('acked')).toHaveLength(1);
  });

  it('gives back in time what it holds by a longer lease than usual, also without a grace', async () => {
    const jobs = openSlowJobs(() => new Promise(() => undefined));
    // An answer that takes its time makes the next lease a longer one.
    jobs.transport.latencyMs = 30_000;
    const consumer = jobs.queue.consume({ visibilityTimeoutMs: 10_000 });
    const next = consumer[Symbol.asyncIterator]().next();
    await jobs.run(jobs.wait(29_000));
    jobs.transport.latencyMs = 0;
    await jobs.run(jobs.wait(1_100));
    jobs.push('one');
    await jobs.run(jobs.wait(5_000));
    expect(jobs.broker.inspect('jobs').counts.leased).toBe(1);
    expect(await jobs.run(consumer.close())).toMatchObject({ received: 1, released: 1 });
    await next;
    expect(jobs.broker.inspect('jobs').counts.leased).toBe(0);
  });
});

describe('a message whose schema or onInvalid never answers', () => {
  const never = (): Promise<never> => new Promise(() => undefined);
  const texts = ['m0', 'm1', 'm2'];

  it('is dropped when its lease ends, and keeps no other from coming', async () => {
    const schema = v.pipeAsync(
      v.string(),
      v.checkAsync((text) => (text === 'bad' ? never() : Promise.resolve(true))),
    );
    const jobs = openJobs<string>({ maxRetries: 100 }, { schema });
    jobs.push('bad');
    const end = new AbortController();
    const seen: string[] = [];
    const handle = (message: { readonly body: string }): void => void seen.push(message.body);
    const processing = jobs.queue.process(handle, { concurrency: 1, signal: end.signal, maxRetries: 100 });
    await jobs.run(jobs.wait(100));
    for (const text of texts) jobs.push(text);
    await jobs.run(jobs.wait(300_000));
    expect(seen.toSorted()).toEqual(texts);
    end.abort();
    const { received, delivered, dropped, released } = await jobs.run(processing);
    expect(dropped).toBeGreaterThan(0);
    expect(delivered + dropped + released).toBe(received);
  });

  it('keeps no other from coming after its lease, and is acknowledged late', async () => {
    const jobs = openJobs({ maxRetries: 100 }, { schema: v.string() });
    jobs.push(1);
    const end = new AbortController();
    const seen: string[] = [];
    const processing = jobs.queue.process((message) => void seen.push(message.body), {
      concurrency: 1,
      signal: end.signal,
      visibilityTimeoutMs: 2_000,
      onInvalid: () => later('ack' as const, jobs.clock, 30_000),
    });
    await jobs.run(jobs.wait(100));
    for (const text of texts) jobs.push(text);
    await jobs.run(jobs.wait(25_000));
    expect(seen.toSorted()).toEqual(texts);
    await jobs.run(jobs.wait(10_000));
    expect(jobs.broker.inspect('jobs').counts.total).toBe(0);
    end.abort();
    await jobs.run(processing);
  });
});
