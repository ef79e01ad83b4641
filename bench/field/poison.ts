// Messages that kill the process that handles them, one in 200, and a supervisor that starts it again.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Measure, Scale, Scenario } from './row.ts';
import { type QueueTally, Service } from './service.ts';
import { startWorker } from './worker.ts';

const oneIn = 200;
const visibilityTimeoutMs = 1_000;
const patienceMs = 120_000;

async function poison(messages: number, concurrency: number): Promise<QueueTally> {
  using service = new Service();
  const connection = await service.open('jobs', messages);
  const plan = { connection, concurrency, handlerMs: 5, visibilityTimeoutMs, poisonOneIn: oneIn };
  const from = performance.now();
  let isOver = false;
  let worker = startWorker(plan);
  const supervise = async (): Promise<void> => {
    for (;;) {
      await once(worker, 'exit');
      if (isOver) return;
      worker = startWorker(plan);
    }
  };
  const supervised = supervise();
  let tally = await service.tally('jobs');
  while (tally.acked + tally.deadLettered.length < messages && performance.now() - from < patienceMs) {
    await sleep(200);
    tally = await service.tally('jobs');
  }
  isOver = true;
  worker.kill('SIGKILL');
  await supervised;
  return tally;
}

async function run(scale: Scale): Promise<readonly Measure[]> {
  const messages = scale === 'quick' ? 400 : 1_000;
  const measures: Measure[] = [];
  for (const concurrency of [1, 10, 50]) {
    const { acked, deadLettered, delivered } = await poison(messages, concurrency);
    const healthy = deadLettered.filter((body) => Number(body) % oneIn !== oneIn - 1).length;
    measures.push(
      [`concurrency ${concurrency}: healthy ones dead-lettered of ${messages}`, healthy, 0],
      [`concurrency ${concurrency}: neither handled nor dead-lettered`, messages - acked - deadLettered.length, 0],
      [`concurrency ${concurrency}: deliveries a message`, delivered / messages, 1.5],
    );
  }
  return measures;
}

export const poisoned: Scenario = { name: 'Poison that kills the process, one message in 200', run };
