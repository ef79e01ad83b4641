// A consumer in a process of its own, that is killed by poison or ended by SIGTERM.
import { setTimeout as sleep } from 'node:timers/promises';
import { openQueue } from '../../src/index.ts';
import type { WorkerPlan } from './worker.ts';

const plan = JSON.parse(process.argv[2] ?? '') as WorkerPlan;
const { connection, concurrency, handlerMs, poisonOneIn, visibilityTimeoutMs } = plan;
const end = new AbortController();
process.once('SIGTERM', () => end.abort());
process.send?.('ready');
await openQueue<number>(connection).process(
  async ({ body }) => {
    await sleep(handlerMs);
    if (poisonOneIn !== undefined && body % poisonOneIn === poisonOneIn - 1) process.kill(process.pid, 'SIGKILL');
  },
  { concurrency, visibilityTimeoutMs, signal: end.signal, maxIdleMs: 1_000, onEvent: () => undefined },
);
process.disconnect();
