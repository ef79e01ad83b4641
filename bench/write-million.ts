// Writes a million small messages to each sink, against a transport that only counts, and prints how many requests that
// took, how fast it was and how far the heap grew after a warm-up.
//
// npx tsc --noEmit false --rewriteRelativeImportExtensions --outDir .tmp-bench
// node .tmp-bench/bench/write-million.js [MESSAGES]
import { pathToFileURL } from 'node:url';
import type { QueueTransport } from '../src/contract/transport.ts';
import { openQueue, type Queue } from '../src/index.ts';
import { toWritable } from '../src/node.ts';
import { toWritableStream } from '../src/web.ts';
import { heapUsed } from './heap.ts';

/** What one run of a sink took. */
export interface Measured {
  readonly requests: number;
  readonly pushed: number;
  readonly elapsedMs: number;
  readonly heapGrowthBytes: number;
}

type Write = (queue: Queue, count: number) => Promise<void>;

export const sinks: Readonly<Record<'toWritable()' | 'toWritableStream()', Write>> = {
  'toWritable()': async (queue, count) => {
    const stream = toWritable(queue);
    for (let id = 0; id < count; id += 1) {
      if (!stream.write({ id })) await new Promise((resolve) => stream.once('drain', resolve));
    }
    await new Promise<void>((resolve) => stream.end(resolve));
  },
  'toWritableStream()': async (queue, count) => {
    const source = new ReadableStream({
      pull: (controller) => {
        if (left === 0) controller.close();
        else controller.enqueue({ id: left });
        left -= 1;
      },
    });
    let left = count;
    await source.pipeTo(toWritableStream(queue));
  },
};

/** Writes `count` messages, a tenth of them as a warm-up before. */
export async function measure(write: Write, count: number): Promise<Measured> {
  let requests = 0;
  let pushed = 0;
  const answer = async (messages: number): Promise<Record<string, never>> => {
    requests += 1;
    pushed += messages;
    await new Promise<void>((resolve) => setImmediate(resolve));
    return {};
  };
  const transport = {
    push: () => answer(1),
    bulkPush: ({ messages }) => answer(messages.length),
  } as Partial<QueueTransport> as QueueTransport;
  const queue = openQueue({ transport: { ...transport, pull: () => Promise.resolve({ messages: [] }) } });
  await write(queue, count / 10);
  requests = 0;
  pushed = 0;
  const heapBefore = heapUsed();
  const startedAt = performance.now();
  await write(queue, count);
  const elapsedMs = performance.now() - startedAt;
  return { requests, pushed, elapsedMs, heapGrowthBytes: heapUsed() - heapBefore };
}

async function main(count: number): Promise<void> {
  for (const [name, write] of Object.entries(sinks)) {
    const { requests, pushed, elapsedMs, heapGrowthBytes } = await measure(write, count);
    const rate = Math.round(pushed / (elapsedMs / 1000));
    console.log(
      `${name}: ${pushed} messages, ${requests} requests, ${rate}/s, heap +${(heapGrowthBytes / 1e6).toFixed(2)} MB`,
    );
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(Number(process.argv[2] ?? 1_000_000));
