import { describe, expect, it } from 'vitest';
import type { ConsumerEvent } from '../../../src/index.ts';
import { seededRandom } from '../../simulation/seeded-random.ts';
import { type Jobs, openJobs } from '../jobs.ts';

const never = new Promise<never>(() => undefined);

/** Swallows the pulls that are chosen by their number, before or after they took effect. */
function swallow(jobs: Jobs<unknown>, isSwallowed: (nth: number) => 'request' | 'answer' | undefined): void {
  let nth = 0;
  jobs.transport.script = (call, answer) => {
    if (call.method !== 'pull') return answer();
    const fate = isSwallowed(nth);
    nth += 1;
    if (fate === 'answer') void answer();
    return fate === undefined ? answer() : never;
  };
}

/** An hour in which a message is pushed past the handle every 7 s or so. */
async function hour(oneIn: number, visibilityTimeoutMs = 30_000) {
  const jobs = openJobs<number>({ maxRetries: 3 }, { latencyMs: 20 });
  const random = seededRandom(7);
  swallow(jobs, () => (oneIn > 0 && random() < 1 / oneIn ? (random() < 0.5 ? 'request' : 'answer') : undefined));
  const waits: number[] = [];
  const events: ConsumerEvent[] = [];
  const done = new AbortController();
  const onEvent = (event: ConsumerEvent): void => void events.push(event);
  const started = new Set<string>();
  const closed = jobs.queue.process(
    ({ id, body, attempts }) => {
      started.add(id);
      if (attempts === 1) waits.push(jobs.clock.monotonic() - body);
    },
    { signal: done.signal, onEvent, visibilityTimeoutMs },
  );
  const pushes = seededRandom(8);
  for (let pushed = 0; pushed < 500; pushed += 1) {
    await jobs.clock.advance(Math.round(14_000 * pushes()));
    jobs.push(jobs.clock.monotonic());
  }
  await jobs.clock.advance(60_000);
  done.abort();
  await jobs.run(closed);
  return {
    p99: waits.toSorted((a, b) => a - b)[Math.floor(0.99 * waits.length)] ?? Infinity,
    pulls: jobs.transport.of('pull').length,
    overdue: events.filter(({ type }) => type === 'pullOverdue').length,
    started: started.size,
    removed: jobs.entries('removed').length,
  };
}

describe('a pull that is given up', () => {
  it('may have leased until then, which the end as empty waits for', async () => {
    const jobs = openJobs<number>();
    let pulls = 0;
    jobs.transport.script = async (call, answer) => {
      if (call.method !== 'pull' || (pulls += 1) > 1) return answer();
      await jobs.wait(9_000);
      jobs.push(1);
      await answer();
      return never;
    };
    expect(await jobs.run(jobs.queue.process(() => 1, { stopWhenEmpty: true }))).toMatchObject({ acked: 1 });
    expect(jobs.broker.isEmpty('jobs')).toBe(true);
  });
});

describe('pulls that are swallowed on their way', () => {
  it.each([30_000, 600_000])(
    'one in 20 keeps a message for at most 2 s more, with leases of %i ms',
    async (leaseMs) => {
      const usual = await hour(0, leaseMs);
      const faulty = await hour(20, leaseMs);
      expect(usual.overdue).toBe(0);
      expect(faulty.overdue).toBeGreaterThan(20);
      expect(faulty.p99).toBeLessThanOrEqual(usual.p99 + 2_000);
      expect(faulty.pulls).toBeLessThanOrEqual(1.3 * usual.pulls);
      expect(faulty.removed).toBe(0);
    },
  );

  it('keep an idle consumer from closing for no longer than a second', async () => {
    for (const nth of [0, 1, 5]) {
      const jobs = openJobs<number>({}, { latencyMs: 20 });
      swallow(jobs, (pull) => (pull === nth ? 'request' : undefined));
      const consumer = jobs.queue.consume();
      const next = consumer[Symbol.asyncIterator]().next();
      while (jobs.transport.of('pull').length <= nth) await jobs.clock.advance(100);
      const from = jobs.clock.monotonic();
      await jobs.run(consumer.close());
      expect(jobs.clock.monotonic() - from).toBeLessThanOrEqual(1_000);
      expect(await next).toEqual({ done: true, value: undefined });
    }
  });

  it('are asked beside ever more seldom while nothing is answered', async () => {
    const jobs = openJobs<number>({}, { latencyMs: 20 });
    swallow(jobs, () => 'request');
    const events: ConsumerEvent[] = [];
    const consumer = jobs.queue.consume({ onEvent: (event) => void events.push(event) });
    const next = consumer[Symbol.asyncIterator]().next();
    await jobs.clock.advance(29_000);
    expect(jobs.transport.of('pull').map(({ at }) => at)).toEqual([0, 1_000, 3_000, 7_000, 15_000]);
    expect(events.map((event) => event.type === 'pullOverdue' && event.waitedMs)).toEqual([1_000, 2_000, 4_000, 8_000]);
    await jobs.run(Promise.all([consumer.close({ graceMs: 0 }), next]));
  });

  it('are taken when they come late after all, and not counted twice', async () => {
    const jobs = openJobs<number>({}, { latencyMs: 20 });
    let late = (): void => undefined;
    let isFirst = true;
    jobs.transport.script = async (call, answer) => {
      if (call.method !== 'pull' || !isFirst) return answer();
      isFirst = false;
      const given = answer();
      await new Promise<void>((resolve) => {
        late = resolve;
      });
      return given;
    };
    jobs.push(1, 2);
    const consumer = jobs.queue.consume();
    const iterator = consumer[Symbol.asyncIterator]();
    const first = await jobs.run(iterator.next());
    expect(first.value?.body).toBe(2);
    const second = iterator.next();
    late();
    expect((await jobs.run(second)).value?.body).toBe(1);
    await jobs.run(Promise.all([iterator.next(), jobs.clock.advance(1_000).then(() => consumer.close())]));
    expect(jobs.entries('acked')).toHaveLength(2);
    expect(jobs.entries('delivered')).toHaveLength(2);
  });
});
