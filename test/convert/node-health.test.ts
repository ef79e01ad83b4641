import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type HealthReport, type HealthSource, healthOf } from '../../src/node.ts';
import { type Jobs, openJobs, queueError } from '../consumer/jobs.ts';

const statuses = (report: HealthReport): readonly unknown[] => report.consumers.map(({ status }) => status);

/** Gives the time at which the health turns, in ms since now. */
async function turnsAfter(jobs: Jobs<unknown>, health: { check(): HealthReport }): Promise<number> {
  const since = jobs.clock.now();
  const was = health.check().isHealthy;
  while (health.check().isHealthy === was && jobs.clock.now() - since < 3_600_000) await jobs.clock.advance(1_000);
  return jobs.clock.now() - since;
}

describe('healthOf()', () => {
  it('takes waiting for messages for no fault', async () => {
    const jobs = openJobs();
    const processor = jobs.queue.process(() => 1);
    await jobs.clock.advance(7_200_000);
    expect(healthOf(processor).check()).toMatchObject({
      isHealthy: true,
      consumers: [{ isHealthy: true, status: 'open', inFlight: 0, lastError: undefined }],
    });
    await jobs.run(processor.close());
  });

  it('takes handlers that are all busy for no fault', async () => {
    const jobs = openJobs();
    jobs.push(1, 2);
    const processor = jobs.queue.process(() => jobs.wait(3_000_000), {
      concurrency: 1,
      visibilityTimeoutMs: 3_600_000,
    });
    await jobs.clock.advance(2_900_000);
    expect(healthOf(processor).check()).toMatchObject({ isHealthy: true });
    await jobs.clock.advance(110_000);
    expect(processor.stats.acked).toBe(1);
    expect(healthOf(processor).check()).toMatchObject({ isHealthy: true });
    await jobs.run(processor.close({ graceMs: 0 }));
  });

  it.each([
    ['fail', (jobs: Jobs<unknown>) => jobs.transport.fail('pull', queueError('network'))],
    [
      'are not answered',
      (jobs: Jobs<unknown>) => {
        jobs.transport.script = () => new Promise(() => undefined);
      },
    ],
  ])('finds out that pulls %s, and that they work again', async (_, spoil) => {
    const jobs = openJobs();
    const processor = jobs.queue.process(() => 1, { onEvent: () => undefined });
    await jobs.clock.advance(1_000);
    const health = healthOf(processor);
    spoil(jobs);
    const after = await turnsAfter(jobs, health);
    expect(after).toBeGreaterThanOrEqual(600_000);
    expect(after).toBeLessThan(615_000);
    expect(health.check()).toMatchObject({ consumers: [{ isHealthy: false, status: 'silent' }] });
    jobs.transport.script = (__, answer) => answer();
    expect(await turnsAfter(jobs, health)).toBeLessThan(310_000);
    await jobs.run(processor.close({ graceMs: 0 }));
  });

  it('finds out that all handlers hang, but not that one does', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const processor = jobs.queue.process(() => new Promise(() => undefined), {
      concurrency: 2,
      visibilityTimeoutMs: 60_000,
      maxVisibilityTimeoutMs: 60_000,
      maxRetries: 0,
      onEvent: () => undefined,
    });
    const health = healthOf(processor, { staleAfterMs: 200_000 });
    await jobs.clock.advance(1_000_000);
    expect(health.check()).toMatchObject({ isHealthy: true });
    jobs.push(2);
    await jobs.clock.advance(1_000);
    const after = await turnsAfter(jobs, health);
    expect(after).toBeGreaterThanOrEqual(200_000);
    expect(statuses(health.check())).toEqual(['stalled']);
    await jobs.run(processor.close({ graceMs: 0 }));
  });

  it('takes none that was told to pause or to end for a fault, and one that failed', async () => {
    const jobs = openJobs();
    const idle = jobs.queue.consume();
    const paused = jobs.queue.process(() => 1);
    paused.pause();
    jobs.push(1);
    const closing = jobs.queue.process(() => jobs.wait(25_000));
    await jobs.clock.advance(1_000);
    void closing.close();
    const closed = jobs.queue.process(() => 1, { stopWhenEmpty: true });
    await jobs.run(closed);
    const sources = new Set<HealthSource>([idle, paused, closing, closed]);
    const health = healthOf(sources);
    await jobs.clock.advance(20_000);
    expect(health.check().isHealthy).toBe(true);
    expect(statuses(health.check())).toEqual(['new', 'paused', 'closing', 'closed']);
    const failed = jobs.queue.process(() => 1, { concurrency: 0 });
    await failed.catch(() => undefined);
    sources.add(failed);
    expect(health.check()).toMatchObject({ isHealthy: false });
    expect(health.check().consumers.at(-1)).toMatchObject({ status: 'failed', isHealthy: false });
    await jobs.run(Promise.all([idle.close(), paused.close(), closing.close()]));
    await jobs.clock.advance(7_200_000);
    expect(statuses(health.check())).toEqual(['closed', 'closed', 'closed', 'closed', 'failed']);
  });

  it('tells that all work fails, which no restart mends', async () => {
    const jobs = openJobs();
    jobs.push(20);
    const fail = (): never => {
      throw new Error('down');
    };
    const processor = jobs.queue.process(fail, { breaker: { failures: 10, maxProbeMs: 30_000 } });
    const health = healthOf(processor);
    await jobs.clock.advance(20_000);
    expect(health.check()).toMatchObject({
      isHealthy: true,
      consumers: [{ status: 'failing', breaker: { state: 'open' } }],
    });
    await jobs.run(processor.close());
  });

  it('answers over HTTP', async () => {
    const jobs = openJobs();
    const processor = jobs.queue.process(() => 1);
    const failed = jobs.queue.process(() => 1, { concurrency: 0 });
    await failed.catch(() => undefined);
    // The first pull has been answered: what is compared must not change meanwhile.
    await jobs.clock.advance(100);
    for (const [sources, status] of [
      [[processor], 200],
      [[processor, failed], 503],
    ] as const) {
      const health = healthOf(sources);
      const server = createServer(health).listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/healthz`);
      expect(response.status).toBe(status);
      expect(response.headers.get('content-type')).toBe('application/json');
      expect(await response.json()).toEqual(JSON.parse(JSON.stringify(health.check())));
      server.close();
    }
    await jobs.run(processor.close());
  });

  it('tells the code or the name of the last error, and not what it says', async () => {
    const jobs = openJobs();
    jobs.push(1);
    const processor = jobs.queue.process(() => {
      throw new RangeError('of a customer');
    });
    await jobs.clock.advance(100);
    expect(healthOf(processor).check().consumers).toMatchObject([{ lastError: 'RangeError' }]);
    jobs.transport.fail('pull', queueError('network'));
    await jobs.clock.advance(10_000);
    expect(healthOf(processor).check().consumers).toMatchObject([{ lastError: 'network' }]);
    await jobs.run(processor.close({ graceMs: 0 }));
  });

  it.each([[undefined], [5], [[5]], [null]])('takes no %s for consumers', (consumers) => {
    expect(() => healthOf(consumers as never)).toThrow("'consumers' must be consumers or processors of a queue");
  });

  it.each([
    [0, RangeError],
    ['5', TypeError],
  ])('takes no staleAfterMs of %s', (staleAfterMs, type) => {
    expect(() => healthOf([], { staleAfterMs: staleAfterMs as number })).toThrow(type);
  });
});
