import { Writable } from 'node:stream';

import type { Timer } from '../contract/clock.ts';
import { maxUnconfirmed } from '../producer/sink.ts';
import type { SinkOptions } from '../producer/sink-options.ts';
import type { WrittenItem } from '../producer/written-item.ts';
import { endWith, type MessageTarget, openSink, type OpenSink, type WritableItem } from './queue-sink.ts';

type Callback = (error?: Error | null) => void;

/**
 * A Node stream in object mode whose chunks are what a queue takes. It is a `Writable` as well, and a
 * `NodeJS.WritableStream`.
 */
export interface QueueWritable<Body = unknown> extends Writable {
  /**
   * Pushes an item.
   *
   * @param callback - called once the service confirmed it, or with what went wrong
   * @returns `false` while 400 items are not confirmed: wait for `drain` then
   */
  write(item: WritableItem<Body>, callback?: (error: Error | null | undefined) => void): boolean;
  // Nothing can be passed to this one and its like below: it lets the stream go where one of text and bytes is asked for,
  // because Node's types have no other. First, it would keep the literals in `forward()` from their type; last, it would
  // be the one of which a compiler tells.
  /** Not to be called. */
  write(chunk: never): boolean;
  /** The same with an encoding, which is not looked at. */
  write(
    item: WritableItem<Body>,
    encoding?: BufferEncoding,
    callback?: (error: Error | null | undefined) => void,
  ): boolean;
  /**
   * Pushes a last item, and ends the stream.
   *
   * @param callback - called once what became of everything is known
   */
  end(item: WritableItem<Body>, callback?: () => void): this;
  /**
   * Ends the stream.
   *
   * @param callback - called once what became of everything is known
   */
  end(callback?: () => void): this;
  /** Not to be called. */
  end(chunk: never): this;
  /** The same with an encoding, which is not looked at. */
  end(item: WritableItem<Body>, encoding?: BufferEncoding, callback?: () => void): this;
}

/**
 * Gives a queue as a Node stream in object mode: what is written is pushed.
 *
 * - Takes bodies, `envelope(…)` and `forward(…)` items. `null` needs an envelope: Node's streams refuse it.
 * - Batches of at most 100 messages and 256 000 bytes, four requests at once, one when `ordered`. Items wait for company
 *   for a few milliseconds, and while 400 of them are not confirmed, `write()` returns `false`.
 * - A write's callback comes only after the service confirmed it, and `'finish'` after what became of the forwarded
 *   messages is known too.
 * - What may be repeated is, for a minute. An item that can't be pushed goes to `onRejected`; without it, the rest is
 *   pushed, and then the stream fails with an error that names the item: the first, when there are several. The messages
 *   of each group that failed are retried, and their consumer's `onEvent` hears of each.
 * - `destroy()` makes no more requests and gives those under way half a second; the messages of groups that were not
 *   pushed are retried.
 *
 * @throws TypeError or RangeError that names the option, what it must be, and its value
 * @example
 * ```ts
 * import { pipeline } from 'node:stream/promises';
 * import { forward, openQueue } from 'leasestream';
 * import { toReadable, toWritable } from 'leasestream/node';
 *
 * const queue = openQueue<{ id: string; to: string }>({ queueId: process.env.QUEUE_ID! });
 * await pipeline(
 *   toReadable(queue, { stopWhenEmpty: true }),
 *   async function* (messages) {
 *     for await (const message of messages) yield forward(message, [{ ...message.body, to: 'archive' }]);
 *   },
 *   toWritable(openQueue({ queueId: process.env.ARCHIVE_QUEUE_ID! })),
 * );
 * ```
 */
export function toWritable<Body>(queue: MessageTarget<Body>, options?: SinkOptions): QueueWritable<Body> {
  return new SinkWritable(openSink('write', queue, options));
}

class SinkWritable extends Writable {
  readonly #open: OpenSink;
  #linger: Timer | undefined;

  constructor(open: OpenSink) {
    super({ objectMode: true, highWaterMark: maxUnconfirmed });
    this.#open = open;
    endWith(this, open);
  }

  override write(chunk: unknown, encodingOrCallback?: BufferEncoding | Callback, callback?: Callback): boolean {
    const done = typeof encodingOrCallback === 'function' ? encodingOrCallback : callback;
    if (chunk === null) return super.write(chunk, done);
    const item = this.#open.sink.take(chunk);
    this.#hold();
    const hasRoom = super.write(item, this.#callbackOf(item, done));
    if (this.writableLength >= this.writableHighWaterMark) this.#flush();
    return hasRoom;
  }

  /** A group that never came to be pushed is given up with its write. */
  #callbackOf(item: WrittenItem, done: Callback | undefined): Callback | undefined {
    if (item.messages.length === 0) return done;
    return (error) => {
      if (error !== undefined && error !== null) this.#open.sink.fail(item, error);
      done?.(error);
    };
  }

  // One _writev is under way at a time, so that waiting for company within it would gain nothing.
  #hold(): void {
    if (this.#linger !== undefined || !this.writable) return;
    this.cork();
    this.#linger = this.#open.clock.setTimer(() => this.#flush(), this.#open.lingerMs);
  }

  #flush(): void {
    if (this.#linger === undefined) return;
    this.#linger.cancel();
    this.#linger = undefined;
    this.uncork();
  }

  override end(chunk?: unknown, encodingOrCallback?: BufferEncoding | Callback, callback?: Callback): this {
    if (typeof chunk === 'function') return this.end(undefined, chunk as Callback);
    const done = typeof encodingOrCallback === 'function' ? encodingOrCallback : callback;
    // Node's own would pass by write().
    if (chunk !== undefined && chunk !== null) this.write(chunk);
    this.#flush();
    return super.end(done);
  }

  override _writev(chunks: ReadonlyArray<{ readonly chunk: unknown }>, callback: Callback): void {
    this.#open.sink.push(chunks.map(({ chunk }) => chunk as WrittenItem)).then(
      () => callback(),
      (error: unknown) => callback(error as Error),
    );
  }

  override _final(callback: Callback): void {
    void this.#open.sink.settled().then(() => callback());
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#linger?.cancel();
    void this.#open.sink.leave().then(() => callback(error));
  }
}
