// Counts what a source of messages allocates, in a process of its own: asked by a message of its parent.
import { PerformanceObserver, performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeMessages } from './free-transport.ts';
import { collectGarbage } from './heap.ts';
import { read, type Source, sources, time, warmUpRounds } from './loop-sources.ts';

/** What the parent asks for. */
export interface AllocationRequest {
  readonly source: string;
  readonly count: number;
}

/** What was counted. */
export interface Allocated {
  readonly bytesPerMessage: number;
  /** How often garbage was collected meanwhile: anything but 0 makes the number one too small. */
  readonly collections: number;
}

async function allocate(open: Source, count: number): Promise<Allocated> {
  const collectedAt: number[] = [];
  const observer = new PerformanceObserver((list) => {
    collectedAt.push(...list.getEntries().map(({ startTime }) => startTime));
  });
  observer.observe({ entryTypes: ['gc'] });
  for (let round = 0; round < warmUpRounds; round += 1) await time(open, count);
  const messages = makeMessages(count);
  collectGarbage();
  let bytes = 0;
  let end = 0;
  const start = performance.now();
  const before = process.memoryUsage().heapUsed;
  await read(open(messages), count, () => {
    bytes = process.memoryUsage().heapUsed - before;
    end = performance.now();
  });
  // Collections are told of in a later turn.
  await sleep(100);
  observer.disconnect();
  return { bytesPerMessage: bytes / count, collections: collectedAt.filter((at) => at >= start && at < end).length };
}

process.on('message', ({ source, count }: AllocationRequest) => {
  const open = sources[source];
  if (open === undefined) throw new RangeError(`There is no source '${source}'`);
  void allocate(open, count).then((allocated) => {
    process.send?.(allocated);
    process.disconnect();
  });
});
