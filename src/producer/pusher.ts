import type { Clock } from '../contract/clock.ts';
import { delay } from '../contract/delay.ts';
import { QueueError } from '../contract/errors.ts';
import type { QueueTransport } from '../contract/transport.ts';
import { Backoff } from '../lease/backoff.ts';
import { pushFailureKind } from '../lease/failure-policy.ts';
import type { Gates } from '../lease/gates.ts';
import { Patience, type Standing } from '../lease/patience.ts';
import { isRefusal, isTooLarge } from './item-error.ts';
import type { EncodedMessage } from './split-batches.ts';
import type { TokenBucket } from './token-bucket.ts';

/** How long a push is repeated before its failure is passed on, in milliseconds; waits for the push limit come on top. */
const patienceMs = 60_000;

/** How long one request may take, in milliseconds. */
const requestTimeoutMs = 30_000;

export interface PusherDeps {
  readonly transport: QueueTransport;
  readonly clock: Clock;
  /** The steady time, in milliseconds. */
  readonly now: () => number;
  readonly gates: Gates;
  readonly standing: Standing;
  readonly random: () => number;
  /** Gives the bucket of the push limit as it is now. Absent where requests are not counted. */
  readonly bucket: (() => TokenBucket) | undefined;
  /** Called when so many messages are in the queue that can be pulled at once. */
  readonly onPushed: (count: number) => void;
}

/** Is told of a message of a batch, by its place, why it was not pushed, or `undefined` once the service confirmed it. */
export type OnOutcome = (index: number, error: unknown) => void;

/** What of a batch is pushed by one request. */
interface Part {
  readonly messages: readonly EncodedMessage[];
  /** The place of the first in its batch. */
  readonly first: number;
  readonly onOutcome: OnOutcome;
  readonly signal: AbortSignal | undefined;
  /** Of the whole push: what was asked for in vain half a minute is not asked for by each half. */
  readonly patience: Patience;
}

/** Pushes batches: waits for its turn, repeats what may be repeated, isolates what is refused. */
export class Pusher {
  readonly #deps: PusherDeps;

  constructor(deps: PusherDeps) {
    this.#deps = deps;
  }

  /**
   * Pushes messages that fit one request. Never rejects: tells of each message once, as soon as its fate is known.
   *
   * A batch that the service refuses is halved until the refused messages stand alone, so that they take no other with
   * them; so is one that is too large for something on the way.
   */
  push(messages: readonly EncodedMessage[], onOutcome: OnOutcome, signal?: AbortSignal): Promise<void> {
    const patience = new Patience(this.#deps.standing, pushFailureKind);
    return this.#pushHalving({ messages, first: 0, onOutcome, signal, patience });
  }

  async #pushHalving(part: Part): Promise<void> {
    const { messages, first, onOutcome } = part;
    try {
      await this.#pushPatiently(part);
    } catch (error) {
      if (messages.length > 1 && (isRefusal(error) || isTooLarge(error))) {
        const middle = Math.ceil(messages.length / 2);
        await this.#pushHalving({ ...part, messages: messages.slice(0, middle) });
        return this.#pushHalving({ ...part, messages: messages.slice(middle), first: first + middle });
      }
      messages.forEach((_, index) => onOutcome(first + index, error));
      return undefined;
    }
    const count = messages.filter(isUndelayed).length;
    if (count > 0) this.#deps.onPushed(count);
    messages.forEach((_, index) => onOutcome(first + index, undefined));
    return undefined;
  }

  async #pushPatiently({ messages, signal, patience }: Part): Promise<void> {
    const { now, gates, random } = this.#deps;
    const backoff = new Backoff({ firstMs: 100, maxMs: 10_000 }, random);
    let givenUpAt = now() + patienceMs;
    for (;;) {
      givenUpAt += await this.#awaitTurn(givenUpAt, signal);
      try {
        await this.#request(messages, signal);
        patience.succeed();
        return;
      } catch (error) {
        signal?.throwIfAborted();
        const at = now();
        if ((messages.length > 1 && isTooLarge(error)) || patience.judge(error, at) === 'final') throw error;
        gates.close('push', error, patience.limit(backoff.fail(), at), at);
        if (gates.notBefore('push') > givenUpAt) throw error;
      }
    }
  }

  /**
   * Takes a turn only while the service does not hold pushes back. Else the turns of those that fail meanwhile would be
   * missing afterwards, and those of the others would all be used at once.
   *
   * @returns how long it waited for the push limit, in milliseconds
   */
  async #awaitTurn(givenUpAt: number, signal: AbortSignal | undefined): Promise<number> {
    const { gates, now } = this.#deps;
    let waitedMs = 0;
    do {
      await this.#awaitGate(givenUpAt + waitedMs, signal);
      waitedMs += await this.#awaitToken(signal);
    } while (gates.notBefore('push') > now());
    return waitedMs;
  }

  async #awaitGate(givenUpAt: number, signal: AbortSignal | undefined): Promise<void> {
    const { gates, clock, now } = this.#deps;
    signal?.throwIfAborted();
    for (let left = gates.notBefore('push') - now(); left > 0; left = gates.notBefore('push') - now()) {
      if (gates.notBefore('push') > givenUpAt) throw heldBack(left, gates.cause('push'));
      await delay(signal, clock, left);
    }
  }

  async #awaitToken(signal: AbortSignal | undefined): Promise<number> {
    const { clock } = this.#deps;
    const bucket = this.#deps.bucket?.();
    if (bucket === undefined) return 0;
    const startedAt = clock.monotonic();
    const at = bucket.take(startedAt);
    if (at <= startedAt) return 0;
    try {
      await delay(signal, clock, at - startedAt);
    } catch (error) {
      bucket.giveBack(at);
      throw error;
    }
    return at - startedAt;
  }

  async #request(messages: readonly EncodedMessage[], signal: AbortSignal | undefined): Promise<void> {
    const options = { timeoutMs: requestTimeoutMs, ...(signal === undefined ? {} : { signal }) };
    const [first] = messages;
    if (messages.length === 1 && first !== undefined) await this.#deps.transport.push(first, options);
    else await this.#deps.transport.bulkPush({ messages }, options);
  }
}

/** Whether nothing is known to delay it: without a delay of its own it has the queue's, which is 0 unless it was set. */
function isUndelayed({ delaySeconds = 0 }: EncodedMessage): boolean {
  return delaySeconds === 0;
}

/** @param cause - the failure whose `retryAfterMs` is what the service asked for, which may be more */
function heldBack(retryAfterMs: number, cause: unknown): QueueError {
  const text = `Pushes are held back for another ${Math.ceil(retryAfterMs / 1000)} s, as the service asked`;
  return new QueueError(text, { code: 'rate-limited', retryAfterMs, cause });
}
