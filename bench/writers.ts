import { once } from 'node:events';
import { openQueue } from '../src/index.ts';
import { toWritable } from '../src/node.ts';
import { type Contender, post, type Work } from './contenders.ts';
import { bodyOf } from './scenario.ts';

/** How many loops push at once: as many as the sink has requests under way. */
const parallelLoops = 4;

const writable: Contender = async ({ connection, fetch, handle, bodyBytes, signal }) => {
  const stream = toWritable(openQueue({ ...connection, fetch }));
  const onWritten = (error?: Error | null): void => {
    if (error === undefined || error === null) void handle(undefined);
  };
  for (let n = 0; !signal.aborted; n += 1) {
    if (!stream.write(bodyOf(n, bodyBytes), onWritten)) await once(stream, 'drain');
  }
  await new Promise<void>((resolve) => stream.end(resolve));
};

/** A loop without any safety: no size is looked at, no failure seen to, nothing repeated. */
const serialFetch: Contender = async (work) => {
  const { handle, bodyBytes, signal } = work;
  for (let n = 0; !signal.aborted; n += 100) {
    const messages = Array.from({ length: 100 }, (_, index) => ({ body: bodyOf(n + index, bodyBytes) }));
    await post(work, 'batch', { messages });
    for (const { body } of messages) void handle(body);
  }
};

const parallelFetch: Contender = async (work: Work) => {
  await Promise.all(Array.from({ length: parallelLoops }, () => serialFetch(work)));
};

/** What fills a queue until it is told to stop; in the order in which they are shown. */
export const writers: Readonly<Record<string, Contender>> = {
  'leasestream toWritable': writable,
  'parallel fetch (floor)': parallelFetch,
  'serial fetch': serialFetch,
};
