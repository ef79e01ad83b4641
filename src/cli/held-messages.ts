import { SteadyTime } from '../consumer/steady-time.ts';
import type { Clock } from '../contract/clock.ts';
import { limits } from '../contract/limits.ts';
import type { QueueTransport } from '../contract/transport.ts';
import type { RawLeasedMessage } from './raw-queue.ts';
import { tryUntil } from './tries.ts';

interface Held {
  readonly leaseId: string;
  /** On the steady time. */
  readonly endsAt: number;
}

// Requests that give back, under way at once.
const requestsAtOnce = 4;
// The part of a lease that a retry needs to arrive in time.
const marginShare = 0.1;

/** The messages that a command has leased and not settled, and how long it may still hold them. */
export class HeldMessages {
  readonly #transport: QueueTransport;
  readonly #clock: Clock;
  readonly #time: SteadyTime;
  readonly #leaseMs: number;
  /** By message id, the lease that ends first in front. */
  readonly #held = new Map<string, Held>();

  /** @param leaseMs - the visibility timeout of every pull */
  constructor(transport: QueueTransport, { clock, leaseMs }: { readonly clock: Clock; readonly leaseMs: number }) {
    this.#transport = transport;
    this.#clock = clock;
    this.#time = new SteadyTime(clock);
    this.#leaseMs = leaseMs;
  }

  get count(): number {
    return this.#held.size;
  }

  /** The time by which leases are counted. */
  now(): number {
    return this.#time.now();
  }

  has(id: string): boolean {
    return this.#held.has(id);
  }

  /**
   * Takes charge of messages, by the newest lease of each.
   *
   * @param pulledAt - `now()` before the pull was sent: never later than the service's own reckoning
   */
  add(messages: readonly RawLeasedMessage[], pulledAt: number): void {
    for (const { id, leaseId } of messages) {
      this.#held.delete(id);
      this.#held.set(id, { leaseId, endsAt: pulledAt + this.#leaseMs });
    }
  }

  /** Lets go of messages that are settled by others, or not at all. */
  forget(messages: readonly RawLeasedMessage[]): void {
    for (const { id } of messages) this.#held.delete(id);
  }

  /** How long all that is held may be held yet if `share` of a lease is kept for giving it back, in milliseconds. */
  leftMs(share: number): number {
    const [first] = this.#held.values();
    return first === undefined ? Infinity : first.endsAt - this.#leaseMs * share - this.now();
  }

  /**
   * Gives back everything. A lease that has ended, or may before the request arrives, is left to end by itself: somebody
   * else may have the message by then. So is what could not be given back for as long as the lease lasts.
   *
   * @returns how many messages the service did not take back now
   */
  async giveBack(): Promise<number> {
    const all = [...this.#held.values()];
    this.#held.clear();
    let left = 0;
    const starts = Array.from({ length: Math.ceil(all.length / limits.batchMessages) }, (_, index) => index).values();
    const work = async (): Promise<void> => {
      for (const index of starts) {
        const start = index * limits.batchMessages;
        left += await this.#retry(all.slice(start, start + limits.batchMessages));
      }
    };
    await Promise.all(Array.from({ length: requestsAtOnce }, work));
    return left;
  }

  async #retry(held: readonly Held[]): Promise<number> {
    const marginMs = this.#leaseMs * marginShare;
    const inTime = (): readonly Held[] => held.filter(({ endsAt }) => endsAt > this.now() + marginMs);
    const call = async (): Promise<number> => {
      const [first, ...others] = inTime();
      if (first === undefined) return held.length;
      const retries = [first, ...others].map(({ leaseId }) => ({ leaseId, delaySeconds: 0 }));
      const request = { timeoutMs: first.endsAt - marginMs - this.now() };
      const { retryCount = retries.length } = await this.#transport.ack({ acks: [], retries }, request);
      return held.length - retryCount;
    };
    const endsAt = (): number => (held.at(-1)?.endsAt ?? 0) - marginMs;
    return tryUntil(call, { clock: this.#clock, now: () => this.now(), endsAt }).catch(() => held.length);
  }
}
