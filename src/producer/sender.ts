import type { Clock, Timer } from '../contract/clock.ts';
import { QueueError } from '../contract/errors.ts';
import type { OutgoingMessage } from '../contract/message.ts';
import { limits } from '../contract/limits.ts';
import { encodeMessage } from './encode-message.ts';
import type { Pusher } from './pusher.ts';
import { batchLength, type EncodedMessage, splitBatches } from './split-batches.ts';

/** The most requests of one sender under way at once. */
const maxRequests = 4;

/** How one message is sent. */
export interface SendOptions {
  /** @defaultValue `'text'` for a string, `'json'` for everything else */
  readonly contentType?: 'text' | 'json';
  /**
   * How long the message stays invisible, in seconds, a whole number from 0 to 86 400.
   *
   * @defaultValue the queue's own `delivery_delay`
   */
  readonly delaySeconds?: number;
}

/** How a batch is sent. */
export interface SendBatchOptions {
  /** The delay of every message that has none of its own, in seconds, a whole number from 0 to 86 400. */
  readonly delaySeconds?: number;
  /** Ends the sending: the promise rejects with its reason, and what was not pushed by then is not. */
  readonly signal?: AbortSignal;
}

interface Waiting extends EncodedMessage {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Sends messages; those sent in one turn of the event loop, or while requests are under way, share a request. */
export class Sender {
  readonly #pusher: Pusher;
  readonly #clock: Clock;
  readonly #onPushed: () => void;
  readonly #waiting: Waiting[] = [];
  #underWay = 0;
  #timer: Timer | undefined;

  /** @param onPushed - called when something new is in the queue */
  constructor(pusher: Pusher, clock: Clock, onPushed: () => void) {
    this.#pusher = pusher;
    this.#clock = clock;
    this.#onPushed = onPushed;
  }

  /** Resolves once the service confirmed the message. */
  async send(message: OutgoingMessage): Promise<void> {
    const encoded = encodeMessage(message);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...encoded, resolve, reject });
      if (this.#waiting.length >= limits.batchMessages) this.#flush();
      else this.#timer ??= this.#clock.setTimer(() => this.#flush(), 0);
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
    const failures = await this.#pusher.push(batch.map(plain));
    this.#underWay -= 1;
    if (failures.includes(undefined)) this.#onPushed();
    batch.forEach(({ resolve, reject }, index) => {
      if (failures[index] === undefined) resolve();
      else reject(failures[index]);
    });
    this.#flush();
  }

  /**
   * Sends messages in as many requests as they need, a few at a time. Every body is encoded before the first request, so
   * that a body that can't be pushed keeps all of them back.
   *
   * @throws TypeError or RangeError that names the message that can't be encoded; QueueError that names those that the
   * service did not take, when all others are pushed
   */
  async sendBatch(messages: Iterable<OutgoingMessage>, options: SendBatchOptions = {}): Promise<void> {
    const { delaySeconds, signal } = options;
    signal?.throwIfAborted();
    const batches = splitBatches(encodeAll(messages, delaySeconds));
    const failures: unknown[][] = [];
    const next = batches.entries();
    const work = async (): Promise<void> => {
      for (const [index, batch] of next) failures[index] = [...(await this.#pusher.push(batch, signal))];
    };
    await Promise.all(Array.from({ length: Math.min(maxRequests, batches.length) }, work));
    const all = failures.flat();
    if (all.includes(undefined)) this.#onPushed();
    signal?.throwIfAborted();
    throwFailures(all);
  }
}

function plain({ body, delaySeconds }: EncodedMessage): EncodedMessage {
  return delaySeconds === undefined ? { body } : { body, delaySeconds };
}

function encodeAll(messages: Iterable<OutgoingMessage>, delaySeconds: number | undefined): EncodedMessage[] {
  const encoded: EncodedMessage[] = [];
  for (const message of messages) {
    try {
      const delayed =
        delaySeconds === undefined || message.delaySeconds !== undefined ? message : { ...message, delaySeconds };
      encoded.push(encodeMessage(delayed));
    } catch (cause) {
      throw naming(encoded.length, cause);
    }
  }
  return encoded;
}

function naming(index: number, cause: unknown): Error {
  const text = `Cannot send the batch because of message ${index}: ${cause instanceof Error ? cause.message : String(cause)}`;
  return cause instanceof RangeError ? new RangeError(text, { cause }) : new TypeError(text, { cause });
}

function throwFailures(failures: readonly unknown[]): void {
  const failed = failures.flatMap((error, index) => (error === undefined ? [] : [index]));
  const [first] = failed;
  if (first === undefined) return;
  const cause = failures[first];
  if (!(cause instanceof QueueError)) throw cause;
  const shown = failed.slice(0, 10).join(', ') + (failed.length > 10 ? ', …' : '');
  const text = `${failed.length} of ${failures.length} messages were not pushed (${shown}): ${cause.message}`;
  const { code, status, errors, retryAfterMs } = cause;
  throw new QueueError(text, {
    code,
    cause,
    errors,
    ...(status === undefined ? {} : { status }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
