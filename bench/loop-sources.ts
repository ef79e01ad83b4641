import { Readable } from 'node:stream';
import type { PulledMessage } from '../src/contract/message.ts';
import { openQueue } from '../src/index.ts';
import { freeTransport, makeMessages } from './free-transport.ts';
import { collectGarbage } from './heap.ts';

/** Gives messages to a loop. */
export type Source = (messages: readonly PulledMessage[]) => AsyncIterable<{ readonly id: string }>;

/** Rounds until the code is compiled. */
export const warmUpRounds = 2;

/** What the others are measured by. */
export const baseline = 'array-backed iterator';

/** In the order in which they are shown. */
export const sources: Readonly<Record<string, Source>> = {
  [baseline]: (messages) => {
    let next = 0;
    return {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          const value = messages[next];
          next += 1;
          return Promise.resolve(value === undefined ? { done: true, value } : { done: false, value });
        },
      }),
    };
  },
  'async generator': generate,
  'two async generators': (messages) => passOn(generate(messages)),
  'leasestream for await': (messages) => {
    let next = 0;
    const transport = freeTransport((asked) => {
      const start = next;
      next = Math.min(next + asked, messages.length);
      return messages.slice(start, next);
    });
    return openQueue({ transport }).consume({ stopWhenEmpty: true });
  },
  'Readable.from()': (messages) => Readable.from(messages),
  ReadableStream: (messages) => {
    let next = 0;
    return new ReadableStream({
      pull: (controller) => {
        const message = messages[next];
        next += 1;
        if (message === undefined) controller.close();
        else controller.enqueue(message);
      },
    });
  },
};

async function* generate<Item>(items: Iterable<Item>): AsyncGenerator<Item> {
  for (const item of items) yield item;
}

async function* passOn<Item>(items: AsyncIterable<Item>): AsyncGenerator<Item> {
  for await (const item of items) yield item;
}

/**
 * Reads to the end, and calls back when the last message has come. It looks at each message, as a handler does: whoever
 * is the first to do so waits for the memory.
 */
export async function read(source: ReturnType<Source>, count: number, onLast: () => void): Promise<void> {
  let left = count;
  let previous = '';
  for await (const { id } of source) {
    if (id === previous) throw new Error(`Message ${id} came twice`);
    previous = id;
    left -= 1;
    if (left === 0) onLast();
  }
  if (left !== 0) throw new Error(`${left} messages did not come`);
}

/** Nanoseconds a message. */
export async function time(open: Source, count: number): Promise<number> {
  const messages = makeMessages(count);
  collectGarbage();
  let elapsedMs = 0;
  const start = performance.now();
  await read(open(messages), count, () => {
    elapsedMs = performance.now() - start;
  });
  return (elapsedMs * 1e6) / count;
}
