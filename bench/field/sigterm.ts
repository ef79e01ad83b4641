// SIGTERM in the middle: the process ends when its handlers have, and what nobody started is available again at once.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Measure, Scale, Scenario } from './row.ts';
import { Service } from './service.ts';
import { startWorker } from './worker.ts';

const concurrency = 50;
const handlerMs = 500;
const visibilityTimeoutMs = 30_000;

async function run(scale: Scale): Promise<readonly Measure[]> {
  using service = new Service();
  const messages = 5_000;
  const connection = await service.open('jobs', messages);
  const worker = startWorker({ connection, concurrency, handlerMs, visibilityTimeoutMs });
  const exited = once(worker, 'exit');
  await once(worker, 'message');
  await sleep(scale === 'quick' ? 2_000 : 4_000);
  const from = performance.now();
  worker.kill('SIGTERM');
  const [code] = (await exited) as [number | null];
  const exitMs = performance.now() - from;
  const { leased, acked, ready, delivered } = await service.tally('jobs');
  return [
    ['until the process has ended, as a multiple of the time of a handler', exitMs / handlerMs, 2],
    ['exit code', code ?? Infinity, 0],
    ['still leased then', leased, 0],
    ['neither handled nor ready then', messages - acked - ready, 0],
    ['given back unstarted, as a multiple of the handlers', (delivered - acked) / concurrency, 1],
  ];
}

export const terminated: Scenario = { name: 'SIGTERM in the middle, 50 handlers', run };
