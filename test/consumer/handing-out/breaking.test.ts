import { lastValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { ConsumerEvent } from '../../../src/consumer/events.ts';
import { forward, type LeasedMessage, openQueue, type ProcessOptions } from '../../../src/index.ts';
import { toWritable } from '../../../src/node.ts';
import { settleMap, toObservable } from '../../../src/rxjs.ts';
import { type Jobs, openJobs, rejection } from '../jobs.ts';
import { ScriptedTransport } from '../scripted-transport.ts';

interface Run {
  readonly n: number;
  readonly attempts: number;
  readonly leaseId: string;
  readonly at: number;
}

type Handle = (message: LeasedMessage<{ n: number }>, run: number) => unknown;

/** Runs handlers on messages for a while, closes, and gives what happened. */
async function watch(messages: number, handle: Handle, forMs: number, options: ProcessOptions = {}) {
  const jobs = openJobs<{ n: number }>({ maxRetries: 3, deadLetterQueue: 'dead' });
  jobs.push(...Array.from({ length: messages }, (_, n) => ({ n })));
  const runs: Run[] = [];
  const events: ConsumerEvent[] = [];
  const abort = new AbortController();
  const startedAt = jobs.clock.now();
  const done = jobs.queue.process(
    async (message) => {
      const { body, attempts, leaseId } = message;
      const run = runs.push({ n: body.n, attempts, leaseId, at: jobs.clock.now() - startedAt });
      await jobs.wait(50);
      await handle(message, run);
    },
    { signal: abort.signal, onEvent: (event) => void events.push(event), ...options },
  );
  await jobs.clock.advance(forMs);
  const gone = dead(jobs);
  const { counts } = jobs.broker.inspect('jobs');
  abort.abort();
  const summary = await jobs.run(done);
  return { jobs, runs, summary, dead: gone, counts, told: events.filter(({ type }) => type.startsWith('breaker')) };
}

const down = (): never => {
  throw new Error('down');
};

/** Fails until so many have run. */
const downFor =
  (most: number): Handle =>
  (_, run) =>
    run > most ? undefined : down();

function dead(jobs: Jobs<unknown>): number {
  return jobs.entries('deadLettered').length;
}

describe('a consumer whose work all fails', () => {
  it('stops starting messages, gives back what it holds, and tells', async () => {
    const { counts, runs, summary, told } = await watch(500, down, 2_500);
    expect(told).toEqual([
      {
        type: 'breakerOpened',
        failures: expect.any(Number),
        failingMs: expect.any(Number),
        probeInMs: 750,
        error: new Error('down'),
      },
    ]);
    expect(runs.length).toBeLessThanOrEqual(112);
    expect(summary.released).toBeGreaterThan(0);
    expect(summary.breaker).toMatchObject({ state: 'open' });
    expect(counts.total).toBe(500);
    expect(counts.leased).toBeLessThanOrEqual(2);
  });

  it('tells in its stats since when, and when it probes next', async () => {
    const { jobs, summary, told } = await watch(500, down, 600);
    const { openSince = 0, nextProbeAt = 0 } = summary.breaker ?? {};
    expect([told.length, nextProbeAt - openSince]).toEqual([1, 750]);
    expect(openSince).toBeLessThan(jobs.clock.now());
  });

  it('goes on with all when probes succeed, and tells', async () => {
    const { runs, summary, told } = await watch(300, downFor(115), 90_000);
    expect(told.map(({ type }) => type)).toEqual(['breakerOpened', 'breakerClosed']);
    expect(summary).toMatchObject({ acked: 300, breaker: { state: 'closed' } });
    expect(summary.breaker).toEqual({ state: 'closed', openSince: undefined, nextProbeAt: undefined });
    expect(Math.max(...runs.map(({ attempts }) => attempts))).toBeLessThanOrEqual(2);
  });

  it('does nothing of the kind with breaker: false', async () => {
    const { jobs, summary, told } = await watch(500, down, 60_000, { breaker: false });
    expect([told, dead(jobs), summary.breaker]).toEqual([[], 500, undefined]);
  });

  it('counts what handlerTimeoutMs ends', async () => {
    const { jobs, told } = await watch(
      200,
      ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', reject)),
      60_000,
      { handlerTimeoutMs: 5_000 },
    );
    expect([told.length, dead(jobs)]).toEqual([1, 0]);
  });

  it('counts retries by hand a fifth, and messages moved away by hand not at all', async () => {
    const byHand = await watch(2_000, (message) => message.retry({ delaySeconds: 60 }), 10_000);
    expect(byHand.told).toMatchObject([{ type: 'breakerOpened', error: undefined }]);
    expect(byHand.runs.length).toBeGreaterThan(400);
    const away = { send: async (): Promise<void> => undefined };
    const half: Handle = (message) => (message.body.n % 2 === 0 ? message.deadLetter(away) : down());
    const moved = await watch(4_000, half, 5_000);
    expect(moved.told).toHaveLength(1);
  });
});

describe('stopWhenEmpty', () => {
  it('does not take for empty what was given back while a breaker is open', async () => {
    const jobs = openJobs<number>({ maxRetries: 3 }, { latencyMs: 10 });
    jobs.push(...Array.from({ length: 12 }, (_, n) => n));
    const seen = new Set<number>();
    const work = async ({ body }: LeasedMessage<number>): Promise<void> => {
      seen.add(body);
      await jobs.wait(20);
      down();
    };
    const options = { concurrency: 3, retryDelaySeconds: 600, breaker: { failures: 4 }, stopWhenEmpty: true };
    await jobs.run(jobs.queue.process(work, options));
    expect(seen.size).toBe(12);
  });
});

describe('a probe', () => {
  it('is tried again within its lease, with its attempts, where the queue has no other message', async () => {
    const {
      dead: gone,
      runs,
      summary,
    } = await watch(12, down, 600_000, { breaker: { failures: 10, maxProbeMs: 10_000 } });
    const times = new Map<string, number>();
    for (const { leaseId } of runs) times.set(leaseId, (times.get(leaseId) ?? 0) + 1);
    expect(Math.max(...times.values())).toBeGreaterThan(3);
    expect(gone).toBe(0);
    expect(summary.delivered).toBe(times.size);
  });

  it('has its body as it came, whatever the run before made of it', async () => {
    const bodies: unknown[] = [];
    const handle: Handle = ({ body }) => {
      bodies.push({ ...body });
      Object.assign(body, { n: -1, spoilt: true });
      return down();
    };
    const { runs } = await watch(12, handle, 120_000, { breaker: { failures: 10, maxProbeMs: 10_000 } });
    expect(new Set(runs.map(({ leaseId }) => leaseId)).size).toBeLessThan(runs.length);
    expect(bodies.filter((body) => (body as { n: number }).n < 0)).toEqual([]);
  });

  it('gives way to another, so that those that fail for good do not keep it open', async () => {
    const options = { breaker: { failures: 20, maxProbeMs: 5_000 } };
    const { told, jobs } = await watch(60, ({ body }) => (body.n < 40 ? down() : undefined), 300_000, options);
    expect(told.map(({ type }) => type).slice(0, 2)).toEqual(['breakerOpened', 'breakerClosed']);
    expect(jobs.entries('acked')).toHaveLength(20);
  });

  it('is not tried again when who had it first settles it by hand', async () => {
    const held: LeasedMessage[] = [];
    const outcomes: string[] = [];
    const handle: Handle = (message, run) => {
      held.push(message);
      if (run === 30) for (const each of held) void each.ack().then(({ outcome }) => outcomes.push(outcome));
      return down();
    };
    const options = { breaker: { failures: 5, maxProbeMs: 20_000 } };
    const { jobs, runs, summary } = await watch(6, handle, 900_000, options);
    expect(outcomes.filter((outcome) => outcome === 'acked').length).toBeGreaterThanOrEqual(6);
    expect(runs.length).toBeLessThanOrEqual(31);
    expect(jobs.entries('acked')).toHaveLength(6);
    expect(summary).toMatchObject({ acked: 6, inFlight: 0, buffered: 0 });
  });
});

describe('a message whose work failed as a probe', () => {
  const options = { breaker: { failures: 2, maxProbeMs: 300 }, retryDelaySeconds: 0 } as const;

  it('is left to the sink that it was written to', async () => {
    const jobs = openJobs<number>({ maxRetries: 3 });
    jobs.push(0);
    let confirm = (): void => undefined;
    const slow = new ScriptedTransport(jobs.broker.transport('jobs'), jobs.clock);
    let pushes = 0;
    slow.push = async () => {
      pushes += 1;
      await new Promise<void>((resolve) => (confirm = resolve));
      return {};
    };
    const sink = toWritable(openQueue<number>({ transport: slow, clock: jobs.clock }));
    let runs = 0;
    const done = jobs.queue.process(async (message) => {
      runs += 1;
      await jobs.wait(10);
      if (runs > 4) sink.write(forward(message, [message.body]));
      down();
    }, options);
    await jobs.clock.advance(5_000);
    confirm();
    await jobs.clock.advance(1_000);
    expect([runs, pushes, jobs.entries('acked').length]).toEqual([5, 1, 1]);
    await jobs.run(done.close());
    sink.destroy();
  });

  it('is retried with the delay that was asked for, when it is given back', async () => {
    const jobs = openJobs<number>({ maxRetries: 3 });
    jobs.push(...Array.from({ length: 8 }, (_, n) => n));
    const fail = async (): Promise<void> => {
      await jobs.wait(20);
      down();
    };
    const breaker = { failures: 5, maxProbeMs: 1_000 };
    const processor = jobs.queue.process(fail, { breaker, retryDelaySeconds: () => 40 });
    // Those that failed before it opened have come again.
    await jobs.clock.advance(60_000);
    expect(processor.stats.buffered).toBeGreaterThan(0);
    await jobs.run(processor.close());
    expect(jobs.entries('retried').filter(({ delaySeconds }) => delaySeconds !== 40)).toEqual([]);
  });

  it('does not have the other consumers of the handle lease for longer', async () => {
    const jobs = openJobs<number>({ maxRetries: 3 });
    const { requests } = watchPulls(jobs);
    jobs.push(...Array.from({ length: 50 }, (_, n) => n));
    const failing = jobs.queue.process(async () => {
      await jobs.wait(20);
      down();
    }, options);
    await jobs.clock.advance(2_000);
    failing.pause();
    await jobs.clock.advance(1_000);
    expect(failing.stats.breaker?.state).toBe('open');
    requests.length = 0;
    const other = jobs.queue.process(() => jobs.wait(20));
    await jobs.clock.advance(2_000);
    expect(new Set(requests)).toEqual(new Set([30_000]));
    await jobs.run(Promise.all([failing.close({ graceMs: 0 }), other.close({ graceMs: 0 })]));
  });
});

/** Notes for how long each pull leases. */
function watchPulls({ transport }: Jobs<unknown>): { readonly requests: Array<number | undefined> } {
  const requests: Array<number | undefined> = [];
  const pull = transport.pull.bind(transport);
  transport.pull = (request, options) => {
    requests.push(request.visibilityTimeoutMs);
    return pull(request, options);
  };
  return { requests };
}

describe('processBatches()', () => {
  it('counts a batch as one, and probes with one message', async () => {
    const jobs = openJobs<number>({ maxRetries: 3, deadLetterQueue: 'dead' });
    jobs.push(...Array.from({ length: 300 }, (_, n) => n));
    const sizes: number[] = [];
    const events: ConsumerEvent[] = [];
    const abort = new AbortController();
    const done = jobs.queue.processBatches(
      async ({ messages }) => {
        sizes.push(messages.length);
        await jobs.wait(50);
        if (jobs.clock.now() < 1_060_000) down();
      },
      { signal: abort.signal, onEvent: (event) => void events.push(event), concurrency: 2 },
    );
    await jobs.clock.advance(180_000);
    abort.abort();
    const { acked } = await jobs.run(done);
    expect([acked, dead(jobs)]).toEqual([300, 0]);
    expect(events.filter(({ type }) => type === 'breakerOpened')).toHaveLength(1);
    expect(sizes.filter((size) => size === 10).length).toBeGreaterThan(20);
    expect(sizes).toContain(1);
  });

  it('acknowledges nothing for a handler that had its time, whose message is with another by now', async () => {
    const jobs = openJobs<number>({ maxRetries: 3 });
    jobs.push(0, 1);
    let runs = 0;
    let atWork = 0;
    const done = jobs.queue.processBatches(
      async ({ messages }) => {
        runs += 1;
        if (runs <= 4) down();
        if (runs > 5) atWork += Number(messages[0]?.body === 0);
        // The first that is tried takes longer than it may, and succeeds all the same.
        const isFirst = runs === 5;
        await jobs.wait(isFirst ? 3_500 : 900);
        if (!isFirst) down();
      },
      {
        size: 1,
        concurrency: 4,
        handlerTimeoutMs: 1_000,
        retryDelaySeconds: 1,
        breaker: { failures: 3, maxProbeMs: 300 },
      },
    );
    await jobs.clock.advance(6_000);
    expect(atWork).toBeGreaterThan(1);
    expect(jobs.entries('acked')).toEqual([]);
    await jobs.run(done.close({ graceMs: 0 }));
  });
});

describe('settleMap()', () => {
  it('is protected as well', async () => {
    const jobs = openJobs<number>({ maxRetries: 3, deadLetterQueue: 'dead' });
    jobs.push(...Array.from({ length: 300 }, (_, n) => n));
    const consumer = jobs.queue.consume({ settle: 'manual' });
    const work = settleMap<number, void>(async () => {
      await jobs.wait(50);
      if (jobs.clock.now() < 1_060_000) down();
    });
    const done = lastValueFrom(toObservable(consumer).pipe(work), { defaultValue: undefined });
    await jobs.clock.advance(180_000);
    const { acked } = await jobs.run(consumer.close());
    await jobs.run(done);
    expect([acked, dead(jobs)]).toEqual([300, 0]);
  });

  it('keeps the messages of its probes for as long as process does', async () => {
    const jobs = openJobs<number>({ maxRetries: 3, deadLetterQueue: 'dead' });
    jobs.push(...Array.from({ length: 12 }, (_, n) => n));
    const consumer = jobs.queue.consume({ settle: 'manual' });
    const work = settleMap<number, void>(async () => {
      await jobs.wait(50);
      if (jobs.clock.now() < 1_600_000) down();
    });
    const done = lastValueFrom(toObservable(consumer).pipe(work), { defaultValue: undefined });
    await jobs.clock.advance(1_200_000);
    expect([dead(jobs), consumer.stats.acked]).toEqual([0, 12]);
    await jobs.run(consumer.close({ graceMs: 0 }));
    await jobs.run(done);
  });

  it('probes at growing intervals, however the consumer is read', async () => {
    const jobs = openJobs<number>({ maxRetries: 3 });
    jobs.push(...Array.from({ length: 12 }, (_, n) => n));
    const at: number[] = [];
    const consumer = jobs.queue.consume({ settle: 'manual', breaker: { failures: 5 } });
    const work = settleMap<number, void>(async () => {
      at.push(jobs.clock.now() - 1_000_000);
      await jobs.wait(50);
      down();
    });
    const done = lastValueFrom(toObservable(consumer).pipe(work), { defaultValue: undefined });
    await jobs.clock.advance(8_000);
    expect(at.filter((time) => time > 500).length).toBeGreaterThanOrEqual(3);
    await jobs.run(consumer.close({ graceMs: 0 }));
    await jobs.run(done);
  });
});

describe('the option breaker', () => {
  it.each([
    [true, "'breaker' must be false or { failures, maxProbeMs }"],
    [null, "'breaker' must be false or { failures, maxProbeMs }"],
    [{ failures: 0 }, "'breaker.failures' must be an integer of 1 or more"],
    [{ maxProbeMs: 0 }, "'breaker.maxProbeMs' must be a number of 1 or more"],
  ])('is not %o', async (breaker, text) => {
    const jobs = openJobs();
    const error = await rejection(jobs.queue.process(() => 1, { breaker } as unknown as ProcessOptions));
    expect(error).toMatchObject({ message: expect.stringContaining(text) });
  });
});
