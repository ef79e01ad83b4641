// Handlers that never end, one in 20, and a limit to their time.
import { setTimeout as sleep } from 'node:timers/promises';
import { openQueue } from '../../src/index.ts';
import type { Measure, Scale, Scenario } from './row.ts';
import { Service } from './service.ts';

const oneIn = 20;
const handlerMs = 20;
const handlerTimeoutMs = 500;
const concurrency = 10;

async function run(scale: Scale): Promise<readonly Measure[]> {
  const messages = scale === 'quick' ? 400 : 2_000;
  using service = new Service();
  const queue = openQueue<number>(await service.open('jobs', messages));
  const handled = new Set<number>();
  const done = new AbortController();
  const from = performance.now();
  let lastAt = from;
  const timer = setTimeout(() => done.abort(), 120_000);
  const handle = async ({ body, attempts }: { body: number; attempts: number }): Promise<void> => {
    if (body % oneIn === 0 && attempts === 1) await new Promise(() => undefined);
    await sleep(handlerMs);
    handled.add(body);
    lastAt = performance.now();
    if (handled.size === messages) done.abort();
  };
  const options = {
    concurrency,
    handlerTimeoutMs,
    retryDelaySeconds: 1,
    signal: done.signal,
    onEvent: () => undefined,
  };
  await queue.process(handle, options);
  clearTimeout(timer);
  const { deadLettered, delivered } = await service.tally('jobs');
  const hung = messages / oneIn;
  const idealMs = (messages * handlerMs + hung * handlerTimeoutMs) / concurrency + handlerTimeoutMs + 1_000;
  return [
    ['not handled', messages - handled.size, 0],
    ['dead-lettered', deadLettered.length, 0],
    ['deliveries beside those of the hung ones, as a share', delivered / (messages + hung) - 1, 0],
    ['time, as a multiple of that of the handlers', (lastAt - from) / idealMs, 1.3],
  ];
}

export const hung: Scenario = { name: 'Handlers that hang, one in 20, with handlerTimeoutMs', run };
