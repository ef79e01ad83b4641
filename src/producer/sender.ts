import type { Clock, Timer } from '../contract/clock.ts';
import { checkNames } from '../contract/check-names.ts';
import { checkSignal } from '../contract/check-options.ts';
import { inOtherWords, QueueError } from '../contract/errors.ts';
import { HomeContext } from '../contract/home-context.ts';
import type { OutgoingMessage } from '../contract/message.ts';
import type { SendEnd } from '../contract/observer.ts';
import type { Observers, Ongoing } from '../contract/observers.ts';
import { hasRequestContexts } from '../contract/request-contexts.ts';
import { limits } from '../contract/limits.ts';
import { encodeMessage } from './encode-message.ts';
import { followSend, injected } from './follow-send.ts';
import { isItemFault } from './item-error.ts';
import { pushBatches } from './push-batches.ts';
import type { Pusher } from './pusher.ts';
import type { SendBatchOptions } from './send-options.ts';
import { batchLength, type EncodedMessage } from './split-batches.ts';

/** The most requests of one sender under way at once. */
const maxRequests = 4;

interface Waiting extends EncodedMessage {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Sends messages; those sent in one turn of the event loop, or while requests are under way, share a request.
 *
 * Where requests have contexts of their own, only those of one turn do, which are of one context: nothing is left behind
 * for another to send or to wait for.
 */
export class Sender {
  readonly #pusher: Pusher;
  readonly #clock: Clock;
  readonly #observers: Observers | undefined;
  readonly #isByContext = hasRequestContexts();
  #waiting: Waiting[] = [];
  readonly #home = new HomeContext();
  #underWay = 0;
  #timer: Timer | undefined;

  constructor(pusher: Pusher, clock: Clock, observers?: Observers) {
    this.#pusher = pusher;
    this.#clock = clock;
    this.#observers = observers;
  }

  /** Resolves once the service confirmed the message. */
  async send(message: OutgoingMessage): Promise<void> {
    const sending = this.#observers?.begin('send', { messages: 1, isBatch: false });
    if (sending === undefined) return this.#send(message);
    return followSend(
      sending,
      () => 1,
      () => this.#send(injected(message, sending)),
    );
  }

  #send(message: OutgoingMessage): Promise<void> {
    const encoded = encodeMessage(message);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject, ...encoded });
      if (this.#isByContext) {
        if (this.#waiting.length === 1) void this.#pushTurn();
      } else if (this.#waiting.length >= limits.batchMessages) this.#flush();
      else this.#timer ??= this.#clock.setTimer(() => this.#flush(), 0);
    });
  }

  /** Pushes what is sent until the microtasks of this turn send no more. */
  async #pushTurn(): Promise<void> {
    for (let seen = 0; seen < this.#waiting.length;) {
      seen = this.#waiting.length;
      await Promise.resolve();
    }
    const sent = this.#waiting;
    this.#waiting = [];
    await pushBatches(sent, {
      atOnce: maxRequests,
      push: (batch, tell) => this.#pusher.push(batch.map(plain), tell),
      onOutcome: (index, error) => conclude(sent[index], error),
    });
  }

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#waiting.length === 0 || this.#underWay >= maxRequests) return;
    void this.#push(this.#waiting.splice(0, batchLength(this.#waiting)));
    this.#flush();
  }

  async #push(batch: readonly Waiting[]): Promise<void> {
    this.#underWay += 1;
    await this.#pusher.push(batch.map(plain), (index, error) => conclude(batch[index], error));
    this.#underWay -= 1;
    // What waited is of others: not in the context of these.
    this.#home.run(() => this.#flush());
  }

  /**
   * Sends messages in as many requests as they need, a few at a time. Every body is encoded before the first request, so
   * that a body that can't be pushed keeps all of them back. After a failure that is not a message's own, requests that
   * were not made are not made.
   *
   * @throws TypeError or RangeError that names the message that can't be encoded; QueueError that names those that the
   * service did not confirm, when all others are pushed
   */
  async sendBatch(messages: Iterable<OutgoingMessage>, options: SendBatchOptions = {}): Promise<void> {
    checkNames('send a batch', options, { allowed: ['delaySeconds', 'signal'] });
    checkSignal('send a batch', options.signal);
    options.signal?.throwIfAborted();
    const failures: unknown[] = [];
    if (this.#observers === undefined) return this.#sendBatch(messages, options, failures);
    const all = [...messages];
    const sending = this.#observers.begin('send', { messages: all.length, isBatch: true });
    if (sending === undefined) return this.#sendBatch(all, options, failures);
    // None is pushed where one can't be encoded.
    const failed = (): number =>
      failures.length === 0 ? all.length : failures.filter((error) => error !== undefined).length;
    return followSend(sending, failed, () => this.#sendBatch(all, options, failures, sending));
  }

  async #sendBatch(
    messages: Iterable<OutgoingMessage>,
    { delaySeconds, signal }: SendBatchOptions,
    failures: unknown[],
    sending?: Ongoing<SendEnd>,
  ): Promise<void> {
    await pushBatches(encodeAll(messages, delaySeconds, sending), {
      atOnce: maxRequests,
      push: (batch, tell) => this.#pusher.push(batch, tell, signal),
      onOutcome: (index, error) => {
        failures[index] = error;
      },
    });
    if (failures.some((error) => error !== undefined)) signal?.throwIfAborted();
    throwFailures(failures);
  }
}

function conclude(waiting: Waiting | undefined, error: unknown): void {
  if (error === undefined) waiting?.resolve();
  else waiting?.reject(error);
}

function plain({ body, delaySeconds }: EncodedMessage): EncodedMessage {
  return delaySeconds === undefined ? { body } : { body, delaySeconds };
}

function encodeAll(
  messages: Iterable<OutgoingMessage>,
  delaySeconds: number | undefined,
  sending: Ongoing<SendEnd> | undefined,
): EncodedMessage[] {
  const encoded: EncodedMessage[] = [];
  for (const message of messages) {
    try {
      const isDelayed = delaySeconds !== undefined && message.delaySeconds === undefined;
      const delayed = isDelayed ? delayedBy(message, delaySeconds) : message;
      encoded.push(encodeMessage(sending === undefined ? delayed : injected(delayed, sending)));
    } catch (cause) {
      throw naming(encoded.length, cause);
    }
  }
  return encoded;
}

function delayedBy({ body, contentType }: OutgoingMessage, delaySeconds: number): OutgoingMessage {
  return contentType === undefined ? { body, delaySeconds } : { body, contentType, delaySeconds };
}

function naming(index: number, cause: unknown): Error {
  const text = `Cannot send the batch because of message ${index}: ${cause instanceof Error ? cause.message : String(cause)}`;
  return cause instanceof RangeError ? new RangeError(text, { cause }) : new TypeError(text, { cause });
}

function throwFailures(failures: readonly unknown[]): void {
  const failed = failures.flatMap((error, index) => (error === undefined ? [] : [index]));
  if (failed.length === 0) return;
  const errors = failed.map((index) => failures[index]);
  // What concerns all of them says more than that one of them is bad.
  const cause = errors.find((error) => !isItemFault(error)) ?? errors[0];
  if (!(cause instanceof QueueError)) throw cause;
  const shown = failed.slice(0, 10).join(', ') + (failed.length > 10 ? ', …' : '');
  const text = `${failed.length} of ${failures.length} messages were not confirmed (${shown}): ${cause.message}`;
  throw inOtherWords(cause, text);
}
