import { addAbortSignal, Readable } from 'node:stream';

import type { LeasedMessage } from '../consumer/handing-out/leased-message.ts';
import { checkOptions, checkSignal } from '../contract/check-options.ts';
import { checkSource, type MessageSource, type Opener, type SourceOptions } from './message-source.ts';
import type { Outlet } from './outlet.ts';

/**
 * A Node stream in object mode whose chunks are leased messages. It is a `Readable` as well, and a
 * `NodeJS.ReadableStream`.
 */
export interface MessageReadable<Body = unknown> extends Readable {
  // The first of each pair can't be called: it lets the stream go where one of text and bytes is asked for, because
  // Node's types have no other. `never` in place of `Other` would reach the variable of a `for await`.
  /** Not to be called: lets the stream go where one of text and bytes is asked for. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  [Symbol.asyncIterator]<Other>(this: never): Other;
  /** Reads the stream in a `for await` loop, which destroys it when it is left. */
  [Symbol.asyncIterator](): NodeJS.AsyncIterator<LeasedMessage<Body>, undefined, unknown>;
  /** Not to be called: lets the stream go where one of text and bytes is asked for. */
  read(size: never): never;
  /** Takes one message; `null` when none is there yet. */
  read(size?: number): LeasedMessage<Body> | null;
  /**
   * Reads the stream in a loop.
   *
   * @param options - `destroyOnReturn`: whether a loop that is left destroys it, `true` unless given
   */
  iterator(options?: {
    readonly destroyOnReturn?: boolean;
  }): NodeJS.AsyncIterator<LeasedMessage<Body>, undefined, unknown>;
  /** Calls `listener` with each message, and lets the stream flow. */
  on(event: 'data', listener: (message: LeasedMessage<Body>) => void): this;
  /** Calls `listener` when the stream fails. */
  on(event: 'error', listener: (error: Error) => void): this;
  /** Every other event of a `Readable`. */
  on(...other: Parameters<Readable['on']>): this;
  /** As `on`, for the first message alone. */
  once(event: 'data', listener: (message: LeasedMessage<Body>) => void): this;
  /** As `on`. */
  once(event: 'error', listener: (error: Error) => void): this;
  /** Every other event of a `Readable`, once. */
  once(...other: Parameters<Readable['once']>): this;
}

/**
 * Gives a queue's messages as a Node stream in object mode, to be settled by hand, or by a `toWritable` further down that
 * they are forwarded to.
 *
 * - Asks for a message only when somebody reads: its own buffer is empty (`highWaterMark` 0).
 * - `destroy()`, which `pipeline()` calls when any of its streams fails, stops pulling, gives back what nobody read, aborts
 *   the signals of messages that are out, and sends what is settled within a second. Then comes `'close'`.
 * - Ends with `stopWhenEmpty`, and when its consumer closes. What a `'data'` listener throws
 * destroys it, with that error, and its message is retried.
 *
 * @param source - a queue, or a consumer: to close it is to end the stream, where `destroy()` and `signal` fail it
 * @param options - as for `queue.consume()`; only `signal` with a consumer. `signal` destroys the stream with an
 * `AbortError`, as with any of Node's streams
 * @throws TypeError or RangeError that names the option, what it must be, and its value
 * @example
 * ```ts
 * import { openQueue } from 'leasestream';
 * import { toReadable } from 'leasestream/node';
 *
 * const queue = openQueue<{ id: string }>({ queueId: process.env.QUEUE_ID! });
 * for await (const message of toReadable(queue, { stopWhenEmpty: true })) {
 *   console.log(message.body.id);
 *   await message.ack();
 * }
 * ```
 */
export function toReadable<Body>(source: MessageSource<Body>, options: SourceOptions = {}): MessageReadable<Body> {
  checkOptions('read', options);
  const { signal, ...rest } = options;
  checkSignal('read', signal);
  const readable: Readable = new OutletReadable<Body>(checkSource('read', source, rest));
  return (signal === undefined ? readable : addAbortSignal(signal, readable)) as MessageReadable<Body>;
}

class OutletReadable<Body> extends Readable {
  readonly #outlet: Outlet<LeasedMessage<Body>>;
  /** The last ones pushed: those that are in the stream's buffer, and the one before. */
  #pushed: LeasedMessage<Body>[] = [];

  constructor(open: Opener<LeasedMessage<Body>>) {
    super({ objectMode: true, highWaterMark: 0 });
    this.#outlet = open({
      next: (message) => {
        this.#pushed = [...this.#unread(), message];
        try {
          this.push(message);
        } catch (error) {
          // A listener's: it ends the stream, as it ends one of `Readable.from()`, since Node would ask for nothing more.
          void message.retry();
          this.destroy(error as Error);
        }
      },
      end: () => this.push(null),
      fail: (error) => this.destroy(error as Error),
    });
  }

  #unread(): LeasedMessage<Body>[] {
    return this.readableLength === 0 ? [] : this.#pushed.slice(-this.readableLength);
  }

  // Node (20.20 and 22.23) hands on what its buffer holds until 'close', though it is destroyed; by then that is given back.
  override read(size?: number): unknown {
    return this.destroyed ? null : super.read(size);
  }

  override _read(): void {
    this.#outlet.want(1);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    for (const message of this.#unread()) void message.retry({ delaySeconds: 0 });
    void this.#outlet.leave().then(() => callback(error));
  }
}
