import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import type { AckRequest, PullRequest } from '../../src/contract/transport.ts';
import {
  type ConsumeOptions,
  type ConsumerEvent,
  type LeasedMessage,
  QueueError,
  type Settlement,
} from '../../src/index.ts';
import { type Jobs, openJobs, queueError, rejection } from './jobs.ts';
import { numbers } from '../numbers.ts';

/** Takes messages by hand, settling nothing. */
async function take(jobs: Jobs<unknown>, count: number, options: ConsumeOptions = {}) {
  const consumer = jobs.queue.consume({ settle: 'manual', ...options });
  const iterator = consumer[Symbol.asyncIterator]();
  const messages: LeasedMessage[] = [];
  const next = async (): Promise<LeasedMessage> => {
    const { value } = await jobs.run(iterator.next());
    if (value === undefined) throw new Error('it ended');
    return value;
  };
  for (let index = 0; index < count; index += 1) messages.push(await next());
  return { consumer, iterator, messages, next };
}

/** As many messages in hand at once as wanted, by an unsettled window that has grown. */
async function takeMany(jobs: Jobs<unknown>, count: number, options: ConsumeOptions = {}) {
  const taken = await take(jobs, 0, options);
  for (let index = 0; index < count; index += 1) {
    const message = await taken.next();
    await jobs.run(message.ack());
  }
  for (let index = 0; index < count; index += 1) taken.messages.push(await taken.next());
  jobs.transport.calls.length = 0;
  return taken;
}

describe('settling', () => {
  it.each([
    [2, 2],
    [40, 5],
  ])('with a round trip of %i ms lingers %i ms for company', async (latencyMs, lingerMs) => {
    const jobs = openJobs({}, { latencyMs });
    jobs.push(...numbers(60));
    const { messages, consumer } = await takeMany(jobs, 10);
    const at = jobs.clock.monotonic();
    const first = messages[0]?.ack();
    await jobs.clock.advance(lingerMs - 1);
    expect(jobs.transport.of('ack')).toEqual([]);
    const second = messages[1]?.retry({ delaySeconds: 3 });
    await jobs.run(Promise.all([first, second]));
    expect(jobs.transport.of('ack')).toHaveLength(1);
    expect(jobs.transport.of('ack')[0]?.at).toBe(at + lingerMs);
    const leaseIds = messages.map(({ leaseId }) => leaseId);
    expect(jobs.transport.settled).toEqual([
      { acks: [leaseIds[0]], retries: [{ leaseId: leaseIds[1], delaySeconds: 3 }] },
    ]);
    await jobs.run(consumer.close({ graceMs: 0 }));
  });

  it('sends what is full at once, also beside a call under way', async () => {
    const jobs = openJobs({}, { latencyMs: 50 });
    jobs.push(...numbers(60));
    const { messages, consumer } = await takeMany(jobs, 12, { batchSize: 4 });
    const at = jobs.clock.monotonic();
    const settled = messages.slice(0, 8).map((message) => message.ack());
    await jobs.clock.advance(0);
    expect(jobs.transport.of('ack').map((call) => [call.at - at, (call.request as AckRequest).acks.length])).toEqual([
      [0, 4],
      [0, 4],
    ]);
    await jobs.run(Promise.all(settled));
    await jobs.run(consumer.close({ graceMs: 0 }));
  });

  it('sends at once when it is about to wait', async () => {
    const jobs = openJobs({}, { latencyMs: 40 });
    jobs.push(1);
    const { messages, consumer } = await take(jobs, 1);
    const at = jobs.clock.monotonic();
    await jobs.run(Promise.resolve(messages[0]?.ack()));
    expect(jobs.transport.of('ack')).toMatchObject([{ at }]);
    await jobs.run(consumer.close());
  });

  it('sends before the earliest deadline although a call is under way', async () => {
    const jobs = openJobs({}, { latencyMs: 10 });
    jobs.push(...numbers(40));
    const { messages, consumer } = await takeMany(jobs, 8, { visibilityTimeoutMs: 4_000 });
    let acks = 0;
    jobs.transport.script = (call, answer) => {
      if (call.method !== 'ack') return answer();
      acks += 1;
      return acks === 1 ? new Promise(() => undefined) : answer();
    };
    const hung = messages[0]?.ack();
    await jobs.clock.advance(20);
    const second = messages[1];
    const settled = second?.ack();
    expect(await jobs.run(Promise.resolve(settled))).toEqual({ outcome: 'acked', late: false });
    await jobs.run(Promise.resolve(hung));
    await jobs.run(consumer.close({ graceMs: 0 }));
  });

  it('sends before the earliest deadline what a full call that is under way left behind', async () => {
    const jobs = openJobs({}, { latencyMs: 10 });
    // Nothing is buffered besides, whose release would take it along.
    jobs.push(...numbers(6));
    const options = { visibilityTimeoutMs: 4_000, maxVisibilityTimeoutMs: 4_000, batchSize: 2 } as const;
    const { messages, consumer } = await takeMany(jobs, 3, options);
    let acks = 0;
    jobs.transport.script = (call, answer) => {
      if (call.method !== 'ack') return answer();
      acks += 1;
      return acks === 1 ? new Promise(() => undefined) : answer();
    };
    const soonest = Math.min(...messages.map(({ leaseRemainingMs }) => leaseRemainingMs));
    await jobs.clock.advance(soonest - 500);
    const settled = messages.map((message) => message.ack());
    expect(await jobs.run(settled[2]!)).toEqual({ outcome: 'acked', late: false });
    await jobs.run(Promise.all(settled));
    await jobs.run(consumer.close({ graceMs: 0 }));
  });

  describe('a message that was given up and came again', () => {
    const takeTwice = async (jobs: Jobs<unknown>) => {
      jobs.push(1);
      const taken = await take(jobs, 1, { visibilityTimeoutMs: 1_000, minInFlight: 2 });
      taken.messages.push(await taken.next());
      const [first, second] = taken.messages;
      expect(second).toMatchObject({ id: first?.id, attempts: 2 });
      return { ...taken, outcomes: taken.messages.map((message) => () => message.ack()) };
    };

    it.each([
      ['older', [0, 1]],
      ['newer', [1, 0]],
    ])('is acknowledged by both its leases, the %s first, in one call', async (_, order) => {
      const jobs = openJobs({ maxRetries: 50 });
      const { outcomes, consumer } = await takeTwice(jobs);
      const settled = Promise.all(order.map(async (index) => outcomes[index]?.()));
      expect(await jobs.run(settled)).toMatchObject([{ outcome: 'acked' }, { outcome: 'acked' }]);
      expect(jobs.transport.of('ack')).toHaveLength(1);
      expect(await jobs.run(consumer.close())).toMatchObject({ acked: 2, lost: 0 });
    });

    it.each([
      ['older', [0, 1]],
      ['newer', [1, 0]],
    ])('is not called lost by the lease that comes second, the %s first, one call each', async (_, order) => {
      const jobs = openJobs({ maxRetries: 50 });
      const { outcomes, consumer } = await takeTwice(jobs);
      const [one, other] = order.map((index) => outcomes[index]);
      expect(await jobs.run(Promise.resolve(one?.()))).toMatchObject({ outcome: 'acked' });
      expect(await jobs.run(Promise.resolve(other?.()))).toMatchObject({ outcome: 'unknown' });
      expect(await jobs.run(consumer.close())).toMatchObject({ acked: 1, unknown: 1, lost: 0 });
      expect(jobs.broker.inspect('jobs').counts.total).toBe(0);
    });
  });

  it('repeats a failed call until the lease ends, and an acknowledgement once more after it', async () => {
    const jobs = openJobs({ maxRetries: 50 });
    jobs.push(1);
    const { messages, consumer } = await take(jobs, 1, { visibilityTimeoutMs: 10_000 });
    const deadline = 10_000;
    jobs.transport.fail('ack', queueError('service-failed', { status: 500 }));
    const settlement = await jobs.run(Promise.resolve(messages[0]?.ack()));
    expect(settlement).toMatchObject({ outcome: 'unknown', error: { code: 'service-failed' } });
    const times = jobs.transport.of('ack').map(({ at }) => at);
    expect(times.length).toBeGreaterThan(3);
    expect(times.filter((at) => at >= deadline)).toHaveLength(1);
    await jobs.run(consumer.close({ graceMs: 0 }));
  });

  it('repeats a retry until the lease ends, and never after it', async () => {
    const jobs = openJobs({ maxRetries: 50 });
    jobs.push(1);
    const { messages, consumer } = await take(jobs, 1, { visibilityTimeoutMs: 10_000 });
    jobs.transport.fail('ack', queueError('rate-limited', { status: 429 }));
    const settlement = await jobs.run(Promise.resolve(messages[0]?.retry()));
    // Every try was refused before it could take effect.
    expect(settlement).toMatchObject({ outcome: 'lost' });
    const times = jobs.transport.of('ack').map(({ at }) => at);
    expect(times.length).toBeGreaterThan(3);
    expect(times.filter((at) => at >= 10_000)).toEqual([]);
    await jobs.run(consumer.close({ graceMs: 0 }));
  });

  it('tells what became of a retry when its lease ends, not when the service may be asked again', async () => {
    const jobs = openJobs({ maxRetries: 50 });
    jobs.push(1);
    const { messages, consumer } = await take(jobs, 1, { visibilityTimeoutMs: 10_000 });
    jobs.transport.fail('ack', queueError('rate-limited', { status: 429, retryAfterMs: 300_000 }));
    const settlement = await jobs.run(Promise.resolve(messages[0]?.retry()));
    expect(settlement).toMatchObject({ outcome: 'lost' });
    expect(jobs.clock.monotonic()).toBeLessThanOrEqual(10_001);
    await jobs.run(consumer.close({ graceMs: 0 }));
  });

  it('obeys Retry-After for settle calls alone', async () => {
    const jobs = openJobs({ maxRetries: 50 });
    jobs.push(1, 2);
    const { messages, consumer, iterator } = await take(jobs, 1);
    let refused = 0;
    jobs.transport.script = (call, answer) =>
      call.method === 'ack' && (refused += 1) === 1
        ? Promise.reject(queueError('rate-limited', { status: 429, retryAfterMs: 7_000 }))
        : answer();
    const at = jobs.clock.monotonic();
    expect(await jobs.run(Promise.resolve(messages[0]?.ack()))).toEqual({ outcome: 'acked', late: false });
    expect(jobs.transport.of('ack').map((call) => call.at - at)).toEqual([0, 7_000]);
    expect((await jobs.run(iterator.next())).value?.body).toBe(2);
    expect(jobs.entries('delivered')[1]?.at).toBeLessThan(1_000_000 + at + 7_000);
    await jobs.run(consumer.close({ graceMs: 0 }));
  });

  it('tells of failed calls', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const events: ConsumerEvent[] = [];
    const { messages, consumer } = await take(jobs, 1, { onEvent: (event) => events.push(event) });
    let failures = 0;
    const error = queueError('network');
    jobs.transport.script = (call, answer) =>
      call.method === 'ack' && (failures += 1) === 1 ? Promise.reject(error) : answer();
    expect(await jobs.run(Promise.resolve(messages[0]?.ack()))).toEqual({ outcome: 'acked', late: false });
    expect(events).toEqual([{ type: 'settleFailed', error, retryInMs: 50, messages: 1 }]);
    await jobs.run(consumer.close());
  });

  it('gives each message its own outcome from counts and warnings', async () => {
    const jobs = openJobs({ maxRetries: 50 });
    jobs.push(...numbers(20));
    const { messages, consumer } = await takeMany(jobs, 4);
    const [a, b] = messages;
    // Somebody else settles one of them first.
    await jobs.broker.transport('jobs').ack({ acks: [a?.leaseId ?? ''], retries: [] });
    const outcomes = await jobs.run(Promise.all([a?.ack(), b?.ack()]));
    expect(outcomes).toMatchObject([
      { outcome: 'lost', error: { code: 'lease-unknown' } },
      { outcome: 'acked', late: false },
    ]);
    expect(consumer.stats).toMatchObject({ lost: 1, acked: 5 });
    await jobs.run(consumer.close({ graceMs: 0 }));
  });

  it('says "unknown" when an answer was dropped and the repeated call is warned about', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const { messages, consumer } = await take(jobs, 1);
    let calls = 0;
    jobs.transport.script = async (call, answer) => {
      const answered = await answer();
      if (call.method === 'ack' && (calls += 1) === 1) throw queueError('network');
      return answered;
    };
    expect(await jobs.run(Promise.resolve(messages[0]?.ack()))).toMatchObject({ outcome: 'unknown' });
    expect(jobs.entries('acked')).toHaveLength(1);
    await jobs.run(consumer.close());
  });

  it('ends the loop when it may not settle', async () => {
    const jobs = openJobs();
    jobs.push(1, 2);
    const error = queueError('unauthorized', { status: 403 });
    jobs.transport.fail('ack', error);
    const outcomes: Settlement[] = [];
    const work = async (): Promise<void> => {
      for await (const message of jobs.queue.consume()) outcomes.push(await message.ack());
    };
    expect(await rejection(jobs.run(work()))).toBe(error);
    expect(outcomes).toMatchObject([{ outcome: 'lost', error }]);
    expect(jobs.clock.pendingTimers).toBe(0);
  });

  it('acknowledges at once what comes again after its acknowledgement was lost, and does not deliver it', async () => {
    const jobs = openJobs({ maxRetries: 50 });
    jobs.push(1);
    let calls = 0;
    jobs.transport.script = (call, answer) =>
      call.method === 'ack' && (calls += 1) <= 40 ? Promise.reject(queueError('network')) : answer();
    const bodies: unknown[] = [];
    const work = async (): Promise<unknown> => {
      const consumer = jobs.queue.consume({ visibilityTimeoutMs: 1_000, stopWhenEmpty: { forMs: 300_000 } });
      for await (const message of consumer) bodies.push(message.body);
      return consumer.closed;
    };
    expect(await jobs.run(work())).toMatchObject({ delivered: 1 });
    expect(bodies).toEqual([1]);
    expect(jobs.broker.isEmpty('jobs')).toBe(true);
  });
});

describe('pulling', () => {
  it('sends its visibility timeout with every pull', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const { consumer } = await take(jobs, 1, { visibilityTimeoutMs: 12_345 });
    for (const { request } of jobs.transport.of('pull')) {
      expect((request as PullRequest).visibilityTimeoutMs).toBe(12_345);
    }
    await jobs.run(consumer.close({ graceMs: 0 }));
  });

  it.each(['unauthorized', 'not-found', 'refused'] as const)(
    'ends the loop with the QueueError on %s',
    async (code) => {
      const jobs = openJobs();
      const error = queueError(code, { status: 400 });
      jobs.transport.fail('pull', error);
      const { iterator, consumer } = await take(jobs, 0);
      expect(await rejection(jobs.run(iterator.next()))).toBe(error);
      expect(await consumer.closed).toMatchObject({ reason: 'failed', error, pulls: 1 });
      expect(jobs.clock.pendingTimers).toBe(0);
    },
  );

  it('counts bodies whose schema has not answered towards maxBufferedBytes', async () => {
    let answer: () => void = () => undefined;
    const judged = new Promise<boolean>((resolve) => {
      answer = () => resolve(true);
    });
    const schema = v.pipeAsync(
      v.string(),
      v.checkAsync(() => judged),
    );
    const jobs = openJobs({}, { schema });
    jobs.push(...Array.from({ length: 50 }, () => 'x'.repeat(1_000)));
    const options = { concurrency: 50, batchSize: 5, maxBufferedBytes: 7_000, stopWhenEmpty: true };
    const done = jobs.queue.process(() => undefined, options);
    await jobs.clock.advance(1_000);
    expect(jobs.broker.inspect('jobs').counts.leased).toBeLessThanOrEqual(10);
    answer();
    expect(await jobs.run(done)).toMatchObject({ acked: 50 });
  });

  it('asks a queue without a pull consumer for 30 s, then ends with the error', async () => {
    const jobs = openJobs({ httpPull: false });
    const { iterator, consumer } = await take(jobs, 0);
    const error = await rejection(jobs.run(iterator.next()));
    expect(error).toBeInstanceOf(QueueError);
    expect(error).toMatchObject({ code: 'pull-not-enabled', status: 405 });
    expect(jobs.clock.monotonic()).toBeGreaterThanOrEqual(30_000);
    expect(jobs.clock.monotonic()).toBeLessThanOrEqual(60_000);
    expect(await consumer.closed).toMatchObject({ reason: 'failed', error });
  });

  it('goes on once the pull consumer is there', async () => {
    const jobs = openJobs({ httpPull: false });
    jobs.push(1);
    const { iterator, consumer } = await take(jobs, 0);
    const next = iterator.next();
    await jobs.clock.advance(20_000);
    jobs.broker.queue('jobs', { httpPull: true });
    expect((await jobs.run(next)).value?.body).toBe(1);
    await jobs.run(consumer.close({ graceMs: 0 }));
  });

  it('waits while delivery is paused, as for an empty queue, and says so', async () => {
    const jobs = openJobs({ deliveryPaused: true });
    jobs.push(1);
    const events: ConsumerEvent[] = [];
    const { iterator, consumer } = await take(jobs, 0, { onEvent: (event) => events.push(event) });
    const next = iterator.next();
    await jobs.clock.advance(600_000);
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(['paused']));
    expect(jobs.transport.of('pull').length).toBeLessThan(80);
    jobs.broker.queue('jobs', { deliveryPaused: false });
    expect((await jobs.run(next)).value?.body).toBe(1);
    await jobs.run(consumer.close({ graceMs: 0 }));
  });

  it('obeys Retry-After', async () => {
    const jobs = openJobs();
    jobs.push(1);
    let refused = 0;
    const events: ConsumerEvent[] = [];
    const error = queueError('rate-limited', { status: 429, retryAfterMs: 42_000 });
    jobs.transport.script = (call, answer) =>
      call.method === 'pull' && (refused += 1) === 1 ? Promise.reject(error) : answer();
    const { consumer } = await take(jobs, 1, { onEvent: (event) => events.push(event) });
    expect(
      jobs.transport
        .of('pull')
        .slice(0, 2)
        .map(({ at }) => at),
    ).toEqual([0, 42_000]);
    expect(events).toEqual([{ type: 'pullFailed', error, retryInMs: 42_000 }]);
    await jobs.run(consumer.close({ graceMs: 0 }));
  });

  it('holds every call back when the queue is unavailable', async () => {
    const jobs = openJobs();
    let refused = 0;
    jobs.transport.script = (call, answer) =>
      call.method === 'pull' && (refused += 1) === 1
        ? Promise.reject(queueError('queue-unavailable', { status: 429, retryAfterMs: 5_000 }))
        : answer();
    const { consumer, iterator } = await take(jobs, 0);
    const next = iterator.next();
    await jobs.clock.advance(100);
    await jobs.run(jobs.queue.send(1));
    expect(jobs.transport.of('push')).toMatchObject([{ at: 5_000 }]);
    await jobs.run(next);
    await jobs.run(consumer.close({ graceMs: 0 }));
  });

  it('backs off from failures, and begins anew after a success', async () => {
    const jobs = openJobs();
    jobs.transport.fail('pull', queueError('network'));
    const { consumer, iterator } = await take(jobs, 0);
    void iterator.next();
    await jobs.clock.advance(120_000);
    const times = jobs.transport.of('pull').map(({ at }) => at);
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    // Three quarters of the full delay, with random = 0.5 and a least share of a half.
    expect(gaps.slice(0, 8)).toEqual([187.5, 375, 750, 1_500, 3_000, 6_000, 12_000, 22_500]);
    await jobs.run(consumer.close());
  });

  it('asks for one message with a longer lease beside a pull that is overdue by half of its lease', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const events: ConsumerEvent[] = [];
    jobs.transport.script = (call, answer) =>
      call.method === 'pull' && call.at < 14_000 ? new Promise(() => undefined) : answer();
    const { consumer } = await take(jobs, 1, { visibilityTimeoutMs: 10_000, onEvent: (event) => events.push(event) });
    const pulls = jobs.transport.of('pull');
    expect(pulls.map(({ at }) => at)).toEqual([0, 1_000, 3_000, 7_000, 15_000]);
    expect(pulls[3]?.request).toEqual({ batchSize: 1, visibilityTimeoutMs: 10_000 });
    expect(pulls[4]?.request).toEqual({ batchSize: 1, visibilityTimeoutMs: 32_000 });
    expect(events.map(({ type }) => type)).toEqual([...Array.from({ length: 4 }, () => 'pullOverdue'), 'slowAnswer']);
    await jobs.run(consumer.close({ graceMs: 0 }));
  });

  it('waits after a pull that timed out when no other was answered', async () => {
    const jobs = openJobs();
    const failures: number[] = [];
    jobs.transport.script = (call, answer) => (call.method === 'pull' ? new Promise(() => undefined) : answer());
    const onEvent = (event: ConsumerEvent): void => {
      if (event.type === 'pullFailed') failures.push(event.retryInMs);
    };
    const { consumer, iterator } = await take(jobs, 0, { visibilityTimeoutMs: 10_000, onEvent });
    const next = iterator.next();
    await jobs.clock.advance(60_000);
    expect(failures.length).toBeGreaterThan(0);
    expect(Math.min(...failures)).toBeGreaterThan(0);
    await jobs.run(Promise.all([consumer.close({ graceMs: 0 }), next]));
  });

  it('lengthens the lease when an answer takes longer than half of it, and goes back after a quick one', async () => {
    const jobs = openJobs({ maxRetries: 50 }, { latencyMs: 501 });
    jobs.push(1);
    const events: ConsumerEvent[] = [];
    const { consumer, iterator } = await take(jobs, 0, {
      visibilityTimeoutMs: 1_000,
      settle: 'auto',
      onEvent: (event) => events.push(event),
    });
    await jobs.run(iterator.next());
    void iterator.next();
    await jobs.clock.advance(2_000);
    expect(
      jobs.transport
        .of('pull')
        .slice(0, 2)
        .map(({ request }) => request),
    ).toEqual([
      { batchSize: 1, visibilityTimeoutMs: 1_000 },
      { batchSize: 1, visibilityTimeoutMs: 2_004 },
    ]);
    expect(events[0]).toEqual({ type: 'slowAnswer', tookMs: 501, visibilityTimeoutMs: 2_004 });
    jobs.transport.latencyMs = 1;
    await jobs.clock.advance(5_000);
    expect(jobs.transport.of('pull').at(-1)?.request).toMatchObject({ visibilityTimeoutMs: 1_000 });
    await jobs.run(consumer.close({ graceMs: 0 }));
  });

  it('asks an idle queue at most 7 times a minute on average', async () => {
    let draw = 0;
    const random = (): number => (draw += 0.618_034) % 1;
    const jobs = openJobs({}, { random });
    const { consumer, iterator } = await take(jobs, 0);
    void iterator.next();
    // The first minute holds the quick ones that follow the start.
    await jobs.clock.advance(60_000);
    expect(jobs.transport.of('pull').length).toBeLessThanOrEqual(14);
    jobs.transport.calls.length = 0;
    await jobs.clock.advance(600_000);
    expect(jobs.transport.of('pull').length).toBeLessThanOrEqual(70);
    expect(consumer.stats.emptyPulls).toBe(consumer.stats.pulls);
    await jobs.run(consumer.close());
  });

  it('asks every 250 ms for 5 s after traffic', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const { consumer, iterator, messages } = await take(jobs, 1);
    await jobs.run(Promise.resolve(messages[0]?.ack()));
    void iterator.next();
    jobs.transport.calls.length = 0;
    const from = jobs.clock.monotonic();
    await jobs.clock.advance(5_000);
    const times = jobs.transport.of('pull').map(({ at }) => at - from);
    expect(times.slice(0, 4)).toEqual([225, 450, 675, 900]);
    expect(times.length).toBeGreaterThanOrEqual(21);
    await jobs.run(consumer.close());
  });

  it('never has more handed out than maxInFlight, nor more unstarted than maxBuffered', async () => {
    const jobs = openJobs({ maxRetries: 50 }, { latencyMs: 5 });
    jobs.push(...numbers(300));
    const consumer = jobs.queue.consume({ settle: 'manual', maxInFlight: 3, maxBuffered: 7, stopWhenEmpty: true });
    const settle = async (message: LeasedMessage): Promise<void> => {
      await jobs.wait(20);
      expect(consumer.stats.inFlight).toBeLessThanOrEqual(3);
      expect(consumer.stats.buffered).toBeLessThanOrEqual(7);
      await message.ack();
    };
    const work = async (): Promise<unknown> => {
      for await (const message of consumer) void settle(message);
      return consumer.closed;
    };
    expect(await jobs.run(work())).toMatchObject({ acked: 300, abandoned: 0 });
  });

  it('asks for no more while four times maxInFlight are finished and not confirmed', async () => {
    const jobs = openJobs();
    jobs.push(...numbers(300));
    jobs.transport.hang('ack');
    const stop = new AbortController();
    let handled = 0;
    const count = (): void => void (handled += 1);
    const done = jobs.queue.process(count, { maxInFlight: 5, batchSize: 5, signal: stop.signal });
    await jobs.clock.advance(5_000);
    expect(handled).toBeGreaterThanOrEqual(20);
    expect(handled).toBeLessThanOrEqual(20 + 5);
    jobs.transport.script = (_, answer) => answer();
    await jobs.clock.advance(20_000);
    expect(handled).toBe(300);
    stop.abort();
    await jobs.run(done);
  });

  it('asks on while more than that only wait for company', async () => {
    const took = async (maxInFlight: number): Promise<number> => {
      const jobs = openJobs({}, { latencyMs: 20 });
      jobs.push(...numbers(300));
      const from = jobs.clock.monotonic();
      await jobs.run(
        jobs.queue.process(() => jobs.clock.block(1), { concurrency: 5, maxInFlight, stopWhenEmpty: true }),
      );
      return jobs.clock.monotonic() - from;
    };
    expect(await took(5)).toBeLessThanOrEqual(1.1 * (await took(200)));
  });

  it('with constant handlers shorter than the lease delivers each message once and gives none back', async () => {
    const jobs = openJobs({}, { latencyMs: 20 });
    jobs.push(...numbers(500));
    const consumer = jobs.queue.consume({ stopWhenEmpty: true });
    const work = async (): Promise<unknown> => {
      for await (const _ of consumer) await jobs.wait(30);
      return consumer.closed;
    };
    expect(await jobs.run(work())).toMatchObject({
      received: 500,
      delivered: 500,
      acked: 500,
      released: 0,
      dropped: 0,
    });
    expect(jobs.entries('delivered')).toHaveLength(500);
  });
});

describe('time', () => {
  it('hands out nothing whose lease ended while the machine slept', async () => {
    const jobs = openJobs({ maxRetries: 50 }, { latencyMs: 5 });
    jobs.push(...numbers(100));
    const { consumer, iterator } = await take(jobs, 30, { settle: 'auto' });
    expect(consumer.stats.buffered).toBeGreaterThan(0);
    jobs.clock.suspend(60_000);
    const { value: message } = await jobs.run(iterator.next());
    expect(message?.leaseRemainingMs).toBeGreaterThan(20_000);
    expect(consumer.stats.dropped).toBeGreaterThan(0);
    await jobs.run(Promise.resolve(iterator.return?.()));
    expect(jobs.clock.pendingTimers).toBe(0);
  });

  it('sends no retry whose lease ended while its handler computed', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const abort = new AbortController();
    const outcomes: Promise<Settlement>[] = [];
    const work = (message: LeasedMessage): void => {
      outcomes.push(message.retry());
      jobs.clock.block(11_000);
      abort.abort();
    };
    await jobs.run(jobs.queue.process(work, { visibilityTimeoutMs: 10_000, signal: abort.signal }));
    expect([outcomes.length, jobs.transport.settled]).toEqual([1, []]);
    expect(await outcomes[0]).toMatchObject({ outcome: 'lost', error: { code: 'lease-expired' } });
  });

  it('sends no retry whose lease ended while onEvent was told of another', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const onEvent = ({ type }: ConsumerEvent): void => {
      if (type === 'unsettled') jobs.clock.block(300);
    };
    const options = { visibilityTimeoutMs: 10_000, minInFlight: 2, onEvent };
    const { messages, consumer, next } = await take(jobs, 1, options);
    await jobs.clock.advance(200);
    jobs.push(2);
    messages.push(await next());
    const { clock } = jobs;
    const between = ((messages[0]?.leaseRemainingMs ?? 0) + (messages[1]?.leaseRemainingMs ?? 0)) / 2;
    const outcomes = Promise.all(messages.map((message) => message.retry()));
    clock.block(between);
    await jobs.run(outcomes);
    expect(await outcomes).toMatchObject([{ outcome: 'lost' }, { outcome: 'lost' }]);
    expect(jobs.transport.settled).toEqual([]);
    await jobs.run(consumer.close({ graceMs: 0 }));
  });

  it('hands out nothing whose lease ended while onEvent was told of another', async () => {
    const jobs = openJobs({ maxRetries: 50 });
    jobs.push(...numbers(4));
    const onEvent = ({ type }: ConsumerEvent): void => {
      if (type === 'abandoned') jobs.clock.block(5_000);
    };
    const options = { visibilityTimeoutMs: 10_000, minInFlight: 2, maxInFlight: 2, onEvent };
    const { messages, consumer, next } = await take(jobs, 2, options);
    await jobs.run(Promise.all(messages.map((message) => message.ack())));
    await next();
    await next();
    const waiting = next();
    await jobs.clock.advance(1_000);
    jobs.push(4);
    await jobs.clock.advance(1_000);
    expect(consumer.stats.buffered).toBe(1);
    const message = await waiting;
    expect(message.leaseRemainingMs).toBeGreaterThan(0);
    await jobs.run(consumer.close({ graceMs: 0 }));
  });

  it('keeps the process alive while a next() or an acknowledgement waits, and no longer', async () => {
    const jobs = openJobs();
    const { iterator, consumer } = await take(jobs, 0, { settle: 'auto' });
    const next = iterator.next();
    await jobs.clock.advance(1_000);
    expect(jobs.clock.refedTimers).toBeGreaterThan(0);
    jobs.push(1);
    await jobs.run(next);
    await jobs.clock.advance(1_000);
    expect(jobs.clock.refedTimers).toBe(0);
    jobs.transport.hang('ack');
    void iterator.next();
    await jobs.clock.advance(1);
    expect(jobs.clock.refedTimers).toBeGreaterThan(0);
    await jobs.run(consumer.close({ graceMs: 0 }));
  });

  it.each(['pull', 'ack'] as const)(
    'waits for 5 minutes at most when the service asks for more: %s',
    async (method) => {
      const jobs = openJobs({ maxRetries: 50 });
      jobs.push(1);
      const events: ConsumerEvent[] = [];
      const asked = queueError('rate-limited', { status: 429, retryAfterMs: 99_999_999_999_000 });
      let isFirst = true;
      jobs.transport.script = (call, answer) => {
        if (call.method !== method || !isFirst) return answer();
        isFirst = false;
        return Promise.reject(asked);
      };
      const onEvent = (event: ConsumerEvent): void => void events.push(event);
      const summary = jobs.queue.process(() => 1, { stopWhenEmpty: true, visibilityTimeoutMs: 1_000_000, onEvent });
      expect(await jobs.run(summary)).toMatchObject({ acked: 1 });
      const type = method === 'pull' ? 'pullFailed' : 'settleFailed';
      expect(events).toMatchObject([{ type, retryInMs: 300_000, error: { retryAfterMs: 99_999_999_999_000 } }]);
      expect(jobs.clock.monotonic()).toBeLessThan(301_000);
    },
  );

  it('holds a consumer that is closing no longer than its leases, whatever is asked of the service', async () => {
    const jobs = openJobs({ maxRetries: 50 });
    jobs.push(1);
    const { messages, consumer } = await take(jobs, 1, { visibilityTimeoutMs: 10_000 });
    jobs.transport.fail('ack', queueError('rate-limited', { status: 429, retryAfterMs: 3_600_000 }));
    void messages[0]?.ack();
    await jobs.run(consumer.close());
    expect(jobs.clock.monotonic()).toBeLessThanOrEqual(60_000);
  });
});
