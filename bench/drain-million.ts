// Drains a million messages and prints how fast that was and how far the heap grew after a warm-up, of which it is to grow
// by 10 MB at most: npm run bench:drain [-- MESSAGES]
//
// The transport makes the messages as they are pulled, so that nothing but the library could hold on to them. The heap is
// read without garbage, whenever another tenth of the messages is handled, while the consumer runs.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { openQueue, type Queue } from '../src/index.ts';
import { freeTransport, makeMessages } from './free-transport.ts';
import { heapUsed } from './heap.ts';

/** What one run of a surface took. */
export interface Drained {
  readonly handled: number;
  readonly elapsedMs: number;
  /** The most by which the heap grew after the warm-up. */
  readonly heapGrowthBytes: number;
}

type Drain = (queue: Queue, onHandled: () => void) => Promise<unknown>;

export const surfaces: Readonly<Record<'process()' | 'for await', Drain>> = {
  'process()': (queue, onHandled) => {
    const handle = async (): Promise<void> => {
      await nextTurn();
      onHandled();
    };
    return queue.process(handle, { concurrency: 200, stopWhenEmpty: true });
  },
  'for await': async (queue, onHandled) => {
    for await (const _ of queue.consume({ stopWhenEmpty: true })) onHandled();
  },
};

/** Drains `count` messages, the first tenth of them as a warm-up. */
export async function measure(drain: Drain, count: number): Promise<Drained> {
  let left = count;
  const transport = freeTransport((asked) => {
    const given = Math.min(asked, left);
    left -= given;
    return makeMessages(given);
  });
  const samples: number[] = [];
  let handled = 0;
  const startedAt = performance.now();
  await drain(openQueue({ transport }), () => {
    handled += 1;
    if (handled % Math.ceil(count / 10) === 0) samples.push(heapUsed());
  });
  const elapsedMs = performance.now() - startedAt;
  const [warm = Number.NaN, ...later] = samples;
  return { handled, elapsedMs, heapGrowthBytes: Math.max(...later) - warm };
}

async function main(count: number): Promise<void> {
  for (const [name, drain] of Object.entries(surfaces)) {
    const { handled, elapsedMs, heapGrowthBytes } = await measure(drain, count);
    const rate = Math.round(handled / (elapsedMs / 1000));
    console.log(`${name}: ${handled} messages, ${rate}/s, heap grew by ${(heapGrowthBytes / 1e6).toFixed(2)} MB`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(Number(process.argv[2] ?? 1_000_000));
