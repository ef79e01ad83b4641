import type { LeasedMessage } from '../consumer/handing-out/leased-message.ts';
import { checkSource, type MessageSource, type Opener, type SourceOptions } from './message-source.ts';
import type { Outlet } from './outlet.ts';

/**
 * Gives a queue's messages as a web stream, to be settled by hand, or by a `toWritableStream` further down that they are
 * forwarded to.
 *
 * - Asks for a message only when somebody reads: its own queue is empty (`highWaterMark` 0).
 * - `cancel()` stops pulling, gives back what is buffered, aborts the signals of messages that are out, and sends what is
 *   settled within a second; then it resolves.
 * - Ends with `signal` and `stopWhenEmpty`, and when its consumer closes.
 *
 * @param source - a queue, or a consumer: to close it is to end the stream, where `cancel()` breaks it off
 * @param options - as for `queue.consume()`; none with a consumer
 * @throws TypeError or RangeError that names the option, what it must be, and its value
 * @example
 * ```ts
 * import { openQueue } from 'leasestream';
 * import { toReadableStream } from 'leasestream/web';
 *
 * const queue = openQueue<{ id: string }>({ queueId: process.env.QUEUE_ID! });
 * for await (const message of toReadableStream(queue, { stopWhenEmpty: true })) {
 *   console.log(message.body.id);
 *   await message.ack();
 * }
 * ```
 */
export function toReadableStream<Body>(
  source: MessageSource<Body>,
  options?: SourceOptions,
): ReadableStream<LeasedMessage<Body>> {
  return new ReadableStream<LeasedMessage<Body>>(new Source(checkSource('read', source, options)), {
    highWaterMark: 0,
  });
}

/** What a web stream asks for its messages. */
class Source<Item extends LeasedMessage> {
  readonly #open: Opener<Item>;
  #outlet: Outlet<Item> | undefined;
  /** Tells the stream that it may ask again. */
  #answer: (() => void) | undefined;
  /** Given when whoever had asked for it may have gone. */
  #unread: Item | undefined;

  constructor(open: Opener<Item>) {
    this.#open = open;
  }

  start(controller: ReadableStreamDefaultController<Item>): void {
    this.#outlet = this.#open({
      next: (item) => {
        controller.enqueue(item);
        this.#unread = (controller.desiredSize ?? 0) < 0 ? item : undefined;
        this.#answer?.();
      },
      end: () => {
        controller.close();
        this.#answer?.();
      },
      fail: (error) => {
        controller.error(error);
        this.#answer?.();
      },
    });
  }

  pull(): Promise<void> {
    return new Promise((resolve) => {
      this.#unread = undefined;
      this.#answer = resolve;
      this.#outlet?.want(1);
    });
  }

  async cancel(): Promise<void> {
    void this.#unread?.retry({ delaySeconds: 0 });
    await this.#outlet?.leave();
  }
}
