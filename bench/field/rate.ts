// A quota of 50 a second, and leases of 2 s: what waits for its time must not run out.
import { openQueue } from '../../src/index.ts';
import type { Measure, Scale, Scenario } from './row.ts';
import { Service } from './service.ts';

const rate = { limit: 50, perMs: 1_000 };

async function run(scale: Scale): Promise<readonly Measure[]> {
  const messages = scale === 'quick' ? 250 : 1_000;
  using service = new Service();
  const queue = openQueue(await service.open('jobs', messages));
  const times: number[] = [];
  const { released, pulls } = await queue.process(() => void times.push(performance.now()), {
    rate,
    visibilityTimeoutMs: 2_000,
    stopWhenEmpty: true,
  });
  const { delivered } = await service.tally('jobs');
  const tookMs = (times.at(-1) ?? Infinity) - (times[0] ?? 0);
  const idealMs = ((messages - 1) * rate.perMs) / rate.limit;
  return [
    ['deliveries a message', delivered / messages, 1],
    ['given back unstarted', released, 0],
    ['time off the ideal, as a share', Math.abs(tookMs / idealMs - 1), 0.05],
    ['starts in any stretch, as a share of the limit', mostWithin(times, rate.perMs) / rate.limit, 1],
    ['pulls for 50 messages', (pulls * rate.limit) / messages, 10],
  ];
}

function mostWithin(times: readonly number[], stretchMs: number): number {
  let first = 0;
  const counts = times.map((time, index) => {
    while ((times[first] ?? time) <= time - stretchMs) first += 1;
    return index - first + 1;
  });
  return Math.max(...counts);
}

export const quota: Scenario = { name: '50 starts a second, leases of 2 s', run };
