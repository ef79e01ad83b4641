import { describe, expect, it } from 'vitest';
import type { ProcessOptions } from '../../../src/consumer/process-options.ts';
import type { ConsumerSummary } from '../../../src/consumer/stats.ts';
import { Leftovers } from '../../../src/consumer/pulling/leftovers.ts';
import { type Jobs, openJobs, queueError } from '../jobs.ts';
import { numbers } from '../../numbers.ts';

const untilEmpty = { stopWhenEmpty: true, visibilityTimeoutMs: 2_000 } as const;

/** The request of the first pull takes 300 ms, so that its leases end later than their consumer must take them to. */
function slowAtFirst(jobs: Jobs<number>): void {
  let pulls = 0;
  jobs.transport.script = async (call, answer) => {
    if (call.method === 'pull' && (pulls += 1) === 1) await jobs.wait(300);
    return answer();
  };
}

function work(
  jobs: Jobs<number>,
  handler: (body: number) => unknown,
  options: ProcessOptions<number> = untilEmpty,
): Promise<ConsumerSummary> {
  return jobs.run(jobs.queue.process(({ body }) => handler(body), options));
}

describe('Leftovers', () => {
  it('tells when the last of the leases is over at the service, which may have given them when its answer came', () => {
    const leftovers = new Leftovers();
    expect(leftovers.until).toBe(-Infinity);
    leftovers.observe(50);
    leftovers.note(3_000);
    leftovers.observe(20);
    leftovers.note(1_000);
    expect(leftovers.until).toBe(3_050);
  });
});

describe('stopWhenEmpty', () => {
  it('waits for what lapsed in the buffer while a handler held up everything', async () => {
    const jobs = openJobs<number>({ maxRetries: 50 }, { latencyMs: 100 });
    jobs.push(...numbers(150));
    const handled = new Set<number>();
    const summary = await work(jobs, async (body) => {
      if (body === 60) {
        jobs.transport.latencyMs = 1;
        jobs.clock.suspend(1_930);
      }
      await jobs.wait(2);
      handled.add(body);
    });
    expect(summary.dropped).toBeGreaterThan(0);
    expect(handled.size).toBe(150);
    expect(jobs.broker.isEmpty('jobs')).toBe(true);
  });

  it('waits for what was leased by a pull whose answer was lost', async () => {
    const jobs = openJobs<number>();
    jobs.push(...numbers(5));
    let pulls = 0;
    jobs.transport.script = async (call, answer) => {
      const result = await answer();
      if (call.method === 'pull' && (pulls += 1) === 1) throw queueError('network');
      return result;
    };
    expect(await work(jobs, () => undefined)).toMatchObject({ reason: 'empty', acked: 5 });
    expect(jobs.clock.monotonic()).toBeLessThan(3_000);
  });

  it('counts no time that a callback took since the answer', async () => {
    const jobs = openJobs<number>();
    jobs.push(1);
    const startedAt = jobs.clock.monotonic();
    const elapsed = (): number => jobs.clock.monotonic() - startedAt;
    let pullsSinceThen = -1;
    jobs.transport.script = async (call, answer) => {
      const result = await answer();
      if (call.method !== 'pull' || elapsed() < 1_600) return result;
      pullsSinceThen += 1;
      if (pullsSinceThen === 0) jobs.clock.block(2_950 - elapsed());
      return result;
    };
    const events: string[] = [];
    const onEvent = ({ type }: { readonly type: string }): void => {
      events.push(type);
      jobs.clock.block(100);
    };
    await work(jobs, () => undefined, { ...untilEmpty, stopWhenEmpty: { forMs: 3_000 }, onEvent });
    expect(events).toEqual(['slowAnswer']);
    expect(pullsSinceThen).toBe(1);
  });

  it('does not wait after a pull that the service did not carry out', async () => {
    const jobs = openJobs<number>();
    let pulls = 0;
    jobs.transport.script = (call, answer) =>
      call.method === 'pull' && (pulls += 1) === 1 ? Promise.reject(queueError('rate-limited')) : answer();
    expect(await work(jobs, () => undefined)).toMatchObject({ reason: 'empty', pulls: 2 });
    expect(jobs.clock.monotonic()).toBeLessThan(1_000);
  });

  it('waits for what its schema did not judge in time', async () => {
    let asked = 0;
    const schema = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value: unknown) =>
          (asked += 1) === 1 ? new Promise<never>(() => undefined) : { value: value as number },
      },
    } as const;
    const jobs = openJobs<number>({}, { schema });
    slowAtFirst(jobs);
    jobs.push(7);
    expect(await work(jobs, () => undefined)).toMatchObject({ reason: 'empty', dropped: 1, acked: 1 });
  });

  it('waits for what could not be given back', async () => {
    const jobs = openJobs<number>({ maxRetries: 50 });
    slowAtFirst(jobs);
    const answered = jobs.transport.script;
    jobs.transport.script = (call, answer) =>
      call.method === 'ack' && jobs.clock.monotonic() < 2_000
        ? Promise.reject(queueError('network'))
        : answered(call, answer);
    jobs.push(1);
    let tries = 0;
    const summary = await work(jobs, () => {
      tries += 1;
      if (tries === 1) throw new Error('once');
    });
    expect(summary).toMatchObject({ reason: 'empty', unknown: 1, acked: 1 });
  });

  it('does not wait for what comes again after a delay', async () => {
    const jobs = openJobs<number>();
    jobs.push(1);
    const summary = await work(jobs, () => Promise.reject(new Error('no')), { ...untilEmpty, retryDelaySeconds: 60 });
    expect(summary).toMatchObject({ reason: 'empty', retried: 1, delivered: 1 });
    expect(jobs.clock.monotonic()).toBeLessThan(1_000);
  });

  it('asks once more when all pulls have brought nothing for as long as it says', async () => {
    const jobs = openJobs<number>();
    await work(jobs, () => undefined, { stopWhenEmpty: { forMs: 60_000 } });
    expect(jobs.clock.monotonic()).toBe(60_000);
  });
});
