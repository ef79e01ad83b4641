import type { AsyncDisposal } from '../contract/async-disposal.ts';
import { checkNames } from '../contract/check-names.ts';
import { checkNumber } from '../contract/check-options.ts';
import type { ItemIterator } from '../contract/item-iterator.ts';
import type { LeasedMessage } from './handing-out/leased-message.ts';
import type { MessageBatch } from './handing-out/message-batch.ts';
import type { ConsumerStats, ConsumerSummary } from './stats.ts';

/** How a consumer is closed. */
export interface CloseOptions {
  /**
   * How long handlers may still run, in milliseconds, 0 or more; see `graceMs` of the consumer's options.
   *
   * @defaultValue that one
   */
  readonly graceMs?: number;
}

/** What every consumer of a queue offers, whatever it hands out. */
export interface ConsumerControl extends AsyncDisposal {
  /**
   * Stops pulling, gives back what was not handed out, waits for what was, sends every settlement, and resolves with
   * what happened. A later call with less grace hastens the end.
   *
   * Inside a `for await` body, settle the message in hand first: until then, or until its lease ends, it is waited for.
   *
   * @throws RangeError when `graceMs` is negative
   */
  close(options?: CloseOptions): Promise<ConsumerSummary>;
  /** Resolves when nothing of the consumer is left, for whatever reason; never rejects. */
  readonly closed: Promise<ConsumerSummary>;
  /** What it did so far, as of now. */
  readonly stats: ConsumerStats;
  /** Stops pulling and handing out. What is buffered is given back when its lease runs out. */
  pause(): void;
  /** Goes on after `pause()`. */
  resume(): void;
}

/**
 * Leased messages, one after the other. Iterable once: a second loop would acknowledge what the first has in hand.
 *
 * A message is acknowledged when the loop asks for the next one, unless it was settled by hand. It is retried when the
 * loop is left while it is in hand. Pulling begins with the first `next()`.
 */
export interface Consumer<Body = unknown> extends AsyncIterable<LeasedMessage<Body>>, ConsumerControl {
  /**
   * Begins the one loop. Pulling begins with the first `next()`.
   *
   * @throws TypeError the second time
   */
  [Symbol.asyncIterator](): ItemIterator<LeasedMessage<Body>>;
}

/**
 * Batches of leased messages, one after the other; otherwise as {@link Consumer}. What of a batch was not settled by hand
 * is acknowledged when the loop asks for the next one, and retried when the loop is left.
 */
export interface BatchConsumer<Body = unknown> extends AsyncIterable<MessageBatch<Body>>, ConsumerControl {
  /**
   * Begins the one loop. Pulling begins with the first `next()`.
   *
   * @throws TypeError the second time
   */
  [Symbol.asyncIterator](): ItemIterator<MessageBatch<Body>>;
}

/** Checks the options of `close()`. */
export function checkCloseOptions(options: CloseOptions): CloseOptions {
  checkNames('close', options, { allowed: ['graceMs'] });
  if (options.graceMs !== undefined) checkNumber('close', 'graceMs', options.graceMs, [0, Infinity]);
  return options;
}
