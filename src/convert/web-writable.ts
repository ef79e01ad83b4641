import type { SinkOptions } from '../producer/sink-options.ts';
import { Gathering } from './gathering.ts';
import { type MessageTarget, openSink, type WritableItem } from './queue-sink.ts';

/**
 * Gives a queue as a web stream: what is written is pushed.
 *
 * - Takes bodies, `envelope(…)` and `forward(…)` items.
 * - Batches of at most 100 messages and 256 000 bytes, four requests at once, one when `ordered`. Items wait for company
 *   for a few milliseconds, and a writer is not `ready` while 400 of them are not confirmed.
 * - A writer's `write()` resolves only after the service confirmed the item: wait for `ready` between writes, and for
 *   `close()`, rather than for each write. `close()` resolves after what became of the forwarded messages is known too.
 * - What may be repeated is, for a minute. An item that can't be pushed goes to `onRejected`; without it, the rest is
 *   pushed, and then the stream errors naming the item: the first, when there are several. The messages of each
 *   group that failed are retried, and their consumer's `onEvent` hears of each.
 * - `abort()` makes no more requests and gives those under way half a second; the messages of groups that were not pushed
 *   are retried.
 *
 * @throws TypeError or RangeError that names the option, what it must be, and its value
 * @example
 * ```ts
 * import { openQueue } from 'leasestream';
 * import { toWritableStream } from 'leasestream/web';
 *
 * const queue = openQueue<{ id: string }>({ queueId: process.env.QUEUE_ID! });
 * const writer = toWritableStream(queue).getWriter();
 * for (const id of ['a', 'b', 'c']) {
 *   await writer.ready;
 *   writer.write({ id }).catch(() => undefined); // closing rejects with the same
 * }
 * await writer.close();
 * ```
 */
export function toWritableStream<Body>(
  queue: MessageTarget<Body>,
  options?: SinkOptions,
): WritableStream<WritableItem<Body>> {
  return gatheringStream<WritableItem<Body>>(new Gathering(openSink('write', queue, options)));
}

// No class of its own, which would ask for WritableStream when the module is loaded.
function gatheringStream<Item>(gathering: Gathering): WritableStream<Item> {
  const size = (item: Item): number => {
    // Called at once by every write(), which tells of the item long before the stream hands it on.
    gathering.take(item);
    return 1;
  };
  const stream = new WritableStream<Item>(
    {
      start: (controller) => {
        gathering.onFailure = (error) => controller.error(error);
        // An abort waits for the write under way, which is not to repeat its requests meanwhile.
        const { signal } = controller as typeof controller & { readonly signal?: AbortSignal };
        signal?.addEventListener('abort', () => void gathering.leave(signal.reason));
      },
      write: () => gathering.add(),
      close: () => gathering.close(),
      abort: (reason: unknown) => gathering.leave(reason),
    },
    { highWaterMark: 1, size },
  );
  // A stream hands on the next item only after it has resolved the write before. To be pushed together, items are
  // therefore accepted at once, and it is the writer that waits for the confirmation.
  const getWriter = stream.getWriter.bind(stream);
  const value = (): WritableStreamDefaultWriter<Item> => {
    const writer = getWriter();
    const accept = writer.write.bind(writer);
    writer.write = async (chunk) => {
      // Node throws for a stream that is closed.
      const accepted = (async () => accept(chunk))();
      await Promise.all([accepted, gathering.confirmedLast(chunk, accepted)]);
    };
    return writer;
  };
  Object.defineProperty(stream, 'getWriter', { value, configurable: true, writable: true });
  return stream;
}
