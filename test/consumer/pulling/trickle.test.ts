import { describe, expect, it } from 'vitest';
import { openJobs } from '../jobs.ts';

describe('a trickle of 20 messages a second', () => {
  it.each([0, 20, 100])(
    'with a round trip of %i ms costs few empty pulls, and few of them wait for long',
    async (latencyMs) => {
      const jobs = openJobs<{ at: number }>({}, { latencyMs });
      const minutes = 3;
      const waits: number[] = [];
      const abort = new AbortController();
      const done = jobs.queue.process(
        async ({ body }) => {
          waits.push(jobs.clock.now() - body.at);
          await jobs.wait(10);
        },
        { concurrency: 10, signal: abort.signal },
      );
      for (let at = 0; at < minutes * 60_000; at += 50) {
        jobs.push({ at: jobs.clock.now() });
        await jobs.clock.advance(50);
      }
      abort.abort();
      const { emptyPulls } = await jobs.run(done);
      const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
      expect(emptyPulls / minutes).toBeLessThanOrEqual(250);
      expect(mean).toBeLessThanOrEqual(150);
    },
  );
});
