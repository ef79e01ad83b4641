import { describe, expect, it } from 'vitest';
import { type Jobs, openJobs, queueError } from '../jobs.ts';
import { numbers } from '../../numbers.ts';

/** Has one settle call refused, by its number. */
function refuse(jobs: Jobs<unknown>, nth: number): void {
  let calls = 0;
  jobs.transport.script = async (call, answer) => {
    if (call.method === 'ack') calls += 1;
    if (call.method === 'ack' && calls === nth)
      throw queueError('rate-limited', { status: 429, retryAfterMs: 200_000 });
    return answer();
  };
}

describe('while no settlement may be sent', () => {
  it('no more is pulled than 4 x maxInFlight, whichever consumer of the handle was refused', async () => {
    const jobs = openJobs({ maxRetries: 100 }, { latencyMs: 20 });
    refuse(jobs, 1);
    jobs.push('first');
    const stop = new AbortController();
    const options = { maxInFlight: 10, signal: stop.signal };
    const first = jobs.queue.process(() => undefined, { ...options, concurrency: 1 });
    await jobs.clock.advance(1_000);
    const handled = new Map<string, number>();
    const second = jobs.queue.process(
      async ({ id }) => {
        await jobs.wait(5);
        handled.set(id, (handled.get(id) ?? 0) + 1);
      },
      { ...options, concurrency: 10 },
    );
    jobs.push(...numbers(5_000));
    await jobs.clock.advance(60_000);
    // What was asked for before that is still handled.
    expect(handled.size).toBeLessThanOrEqual(4 * 10 + 100);
    expect([...handled.values()].filter((times) => times > 1)).toEqual([]);
    stop.abort();
    await jobs.run(Promise.all([first, second]));
  });

  it('nor where a call that was sent before is confirmed after the refusal', async () => {
    const jobs = openJobs({ maxRetries: 100 }, { latencyMs: 20 });
    refuse(jobs, 20);
    jobs.push(...numbers(10_000));
    const stop = new AbortController();
    let handled = 0;
    const done = jobs.queue.process(
      async () => {
        await jobs.wait(5);
        handled += 1;
      },
      { concurrency: 100, maxInFlight: 100, signal: stop.signal },
    );
    await jobs.clock.advance(5_000);
    const confirmed = jobs.entries('acked').length;
    expect(confirmed).toBeGreaterThan(0);
    expect(handled - confirmed).toBeLessThanOrEqual(4 * 100 + 2 * 100);
    stop.abort();
    await jobs.run(done);
  });
});
