import { abortable } from 'abort-controller-x';
import type { Clock } from '../contract/clock.ts';
import { QueueError } from '../contract/errors.ts';
import type { Observers } from '../contract/observers.ts';
import type { Forwardable } from './forward.ts';
import { isItemFault, namingItem } from './item-error.ts';
import { pushBatches } from './push-batches.ts';
import type { OnOutcome, Pusher } from './pusher.ts';
import type { ResolvedSinkOptions } from './sink-options.ts';
import type { EncodedMessage } from './split-batches.ts';
import { WrittenItem } from './written-item.ts';

/** The most requests of one sink under way at once. */
const maxRequests = 4;

/**
 * How long requests under way may take when the stream is destroyed, in milliseconds. Ended at once, they would have been
 * carried out nevertheless, and what they carry would be pushed twice; the leases of forwarded messages are given up by
 * their own stream after a second.
 */
const lastCallsMs = 500;

/** How many items may be written and not confirmed: four full requests. */
export const maxUnconfirmed = 400;

export interface SinkDeps {
  readonly pusher: Pusher;
  readonly clock: Clock;
  readonly observers?: Observers | undefined;
  /** Takes it upon the sink to settle a message, or gives that back: nobody else is to acknowledge it meanwhile. */
  readonly claim: (message: Forwardable, isClaimed: boolean) => void;
  /** Retries a message whose group could not be pushed. */
  readonly fail: (message: Forwardable, error: unknown) => Promise<unknown>;
}

/** Pushes what is written to a stream, and settles the messages it came from. */
export class Sink {
  readonly #deps: SinkDeps;
  readonly #options: ResolvedSinkOptions;
  readonly #controller = new AbortController();
  readonly #settling = new Set<Promise<unknown>>();
  /** The messages that it has claimed and not given back. */
  readonly claimed: Set<Forwardable> = new Set();
  #written = 0;
  #isLeft = false;
  #underWay: Promise<unknown> = Promise.resolve();

  constructor(deps: SinkDeps, options: ResolvedSinkOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Takes in what was written. Never throws: what can't be pushed fails when it is its turn. */
  take(item: unknown): WrittenItem {
    const written = new WrittenItem(item, this.#written, this.#deps.observers);
    this.#written += 1;
    for (const message of written.messages) {
      this.claimed.add(message);
      this.#deps.claim(message, true);
    }
    return written;
  }

  /**
   * Pushes items, in batches within the service's limits, and settles the messages of their groups. One call at a time.
   *
   * @returns once every item is confirmed or was taken by `onRejected`
   * @throws what the first item failed with that nobody took, after what became of every item was seen to
   */
  push(items: readonly WrittenItem[]): Promise<void> {
    for (const item of items) item.isSeenTo = true;
    const pushed = this.#push(items);
    this.#underWay = pushed.catch(() => undefined);
    return pushed;
  }

  async #push(items: readonly WrittenItem[]): Promise<void> {
    for (const item of items) if (item.left === 0 && item.failure === undefined) this.#confirmed(item);
    await this.#pushOutputs(items);
    // All at once: one that `onRejected` never answers for must not keep the messages of the others.
    const failures = await Promise.all(
      items.flatMap((item) => (item.failure === undefined ? [] : [this.#rejected(item, item.failure.error)])),
    );
    const uncaught = failures.find((failure) => failure !== undefined);
    if (uncaught !== undefined) throw uncaught.error;
  }

  async #pushOutputs(items: readonly WrittenItem[]): Promise<void> {
    const owners = items.flatMap((item) => item.outputs.map(() => item));
    const outputs = items.flatMap((item) => item.outputs);
    await pushBatches(outputs, {
      atOnce: this.#options.ordered ? 1 : maxRequests,
      push: (batch, tell) => this.#request(batch, tell),
      onOutcome: (index, error) => {
        const owner = owners[index];
        if (owner !== undefined) this.#note(owner, error);
      },
    });
  }

  async #request(batch: readonly EncodedMessage[], onOutcome: OnOutcome): Promise<void> {
    const open = new Set(batch.keys());
    const tell: OnOutcome = (index, error) => {
      if (open.delete(index)) onOutcome(index, error);
    };
    const { signal } = this.#controller;
    try {
      if (this.#isLeft) throw new QueueError('The stream was destroyed', { code: 'closed' });
      // A transport may not listen to its signal.
      await abortable(signal, this.#deps.pusher.push(batch, tell, signal));
    } catch (error) {
      for (const index of open) tell(index, error);
    }
  }

  #note(written: WrittenItem, error: unknown): void {
    written.left -= 1;
    if (error !== undefined) written.failure ??= { error };
    if (written.left === 0 && written.failure === undefined) this.#confirmed(written);
  }

  #confirmed(written: WrittenItem): void {
    written.sending?.end({ failed: 0 });
    this.#settle(written, (message) => message.ack());
  }

  #settle({ messages }: WrittenItem, how: (message: Forwardable) => Promise<unknown>): void {
    for (const message of messages) {
      this.claimed.delete(message);
      this.#deps.claim(message, false);
      const forget = (): unknown => this.#settling.delete(settled);
      // One that is not ours may throw: that must not keep the others.
      const settled: Promise<unknown> = (async () => how(message))().then(forget, forget);
      this.#settling.add(settled);
    }
  }

  /**
   * Never rejects.
   *
   * @returns the error that nobody took
   */
  async #rejected(item: WrittenItem, error: unknown): Promise<{ readonly error: unknown } | undefined> {
    const { onRejected } = this.#options;
    try {
      if (onRejected === undefined || !isItemFault(error)) return { error: namingItem(item.index, error) };
      await abortable(this.#controller.signal, Promise.resolve(onRejected(item.item, error)));
      return undefined;
    } catch (failure) {
      // A stream, and whoever looks for an error, takes a falsy one for success.
      return { error: [failure, namingItem(item.index, error)].find(Boolean) };
    } finally {
      this.#retry(item, error);
    }
  }

  /** Retries the messages of an item that will not be pushed, unless {@link push} or an earlier call has seen to that. */
  fail(item: WrittenItem, error: unknown): void {
    if (item.isSeenTo) return;
    item.isSeenTo = true;
    this.#retry(item, error);
  }

  #retry(item: WrittenItem, error: unknown): void {
    item.sending?.end({ failed: item.outputs.length, error });
    this.#settle(item, (message) => this.#deps.fail(message, error));
  }

  /** Resolves once it is known what became of every message so far. */
  async settled(): Promise<void> {
    await Promise.all(this.#settling);
  }

  /** Makes no more requests, and ends those under way after a short while. Resolves when none is left. */
  async leave(): Promise<void> {
    this.#isLeft = true;
    const timer = this.#deps.clock.setTimer(() => this.#controller.abort(), lastCallsMs);
    await this.#underWay;
    timer.cancel();
  }
}
