import type { Clock } from '../contract/clock.ts';
import { delay } from '../contract/delay.ts';
import { QueueError } from '../contract/errors.ts';
import type { QueueTransport } from '../contract/transport.ts';
import { Backoff } from '../lease/backoff.ts';
import { failureKind } from '../lease/failure-policy.ts';
import type { Gates } from '../lease/gates.ts';
import type { EncodedMessage } from './split-batches.ts';
import type { TokenBucket } from './token-bucket.ts';

/** How long a push is repeated before its failure is passed on, in milliseconds. */
const patienceMs = 60_000;

/** How long one request may take, in milliseconds. */
const requestTimeoutMs = 30_000;

export interface PusherDeps {
  readonly transport: QueueTransport;
  readonly clock: Clock;
  /** The steady time, in milliseconds. */
  readonly now: () => number;
  readonly gates: Gates;
  readonly random: () => number;
  /** Absent where requests are not counted. */
  readonly bucket: TokenBucket | undefined;
}

/** Pushes batches: waits for its turn, repeats what may be repeated, isolates what is refused. */
export class Pusher {
  readonly #deps: PusherDeps;

  constructor(deps: PusherDeps) {
    this.#deps = deps;
  }

  /**
   * Pushes messages that fit one request. Never rejects: gives for each message, in order, why it was not pushed, or
   * `undefined` once the service confirmed it.
   *
   * A batch that the service refuses is halved until the refused messages stand alone, so that they take no other with
   * them.
   */
  async push(messages: readonly EncodedMessage[], signal?: AbortSignal): Promise<readonly unknown[]> {
    try {
      await this.#pushPatiently(messages, signal);
      return messages.map(() => undefined);
    } catch (error) {
      if (messages.length === 1 || !isRefusal(error)) return messages.map(() => error);
      const middle = Math.ceil(messages.length / 2);
      const first = await this.push(messages.slice(0, middle), signal);
      return [...first, ...(await this.push(messages.slice(middle), signal))];
    }
  }

  async #pushPatiently(messages: readonly EncodedMessage[], signal: AbortSignal | undefined): Promise<void> {
    const { now, gates, random } = this.#deps;
    const backoff = new Backoff({ firstMs: 100, maxMs: 10_000 }, random);
    const givenUpAt = now() + patienceMs;
    for (;;) {
      await this.#awaitTurn(givenUpAt, signal);
      try {
        return await this.#request(messages, signal);
      } catch (error) {
        signal?.throwIfAborted();
        if (failureKind(error) !== 'transient') throw error;
        gates.close('push', error, backoff.fail(), now());
        if (gates.notBefore('push') > givenUpAt) throw error;
      }
    }
  }

  async #awaitTurn(givenUpAt: number, signal: AbortSignal | undefined): Promise<void> {
    const { gates, bucket, clock, now } = this.#deps;
    const waitMs = bucket?.take(now()) ?? 0;
    if (waitMs > 0) await delay(signal, clock, waitMs);
    for (let left = gates.notBefore('push') - now(); left > 0; left = gates.notBefore('push') - now()) {
      if (gates.notBefore('push') > givenUpAt) throw heldBack(left);
      await delay(signal, clock, left);
    }
    signal?.throwIfAborted();
  }

  async #request(messages: readonly EncodedMessage[], signal: AbortSignal | undefined): Promise<void> {
    const options = { timeoutMs: requestTimeoutMs, ...(signal === undefined ? {} : { signal }) };
    const [first] = messages;
    if (messages.length === 1 && first !== undefined) await this.#deps.transport.push(first, options);
    else await this.#deps.transport.bulkPush({ messages }, options);
  }
}

function heldBack(retryAfterMs: number): QueueError {
  const text = `Pushes are held back for another ${Math.ceil(retryAfterMs / 1000)} s, as the service asked`;
  return new QueueError(text, { code: 'rate-limited', retryAfterMs });
}

/** Whether the service refused what was pushed, rather than who pushed it or where. */
function isRefusal(error: unknown): boolean {
  return error instanceof QueueError && (error.code === 'refused' || error.code === 'too-large');
}
