import type { PulledMessage } from '../../contract/message.ts';
import { PollSchedule } from '../../lease/poll-schedule.ts';
import type { ResolvedConsumeOptions } from '../consume-options.ts';
import type { SteadyTime } from '../steady-time.ts';
import type { Pull } from './pulls-under-way.ts';
import type { Wakes } from './wakes.ts';

/**
 * How old a message may be that was just pushed, in milliseconds. A queue's delay is a whole number of seconds. Where the
 * clocks of this machine and the service differ by more, messages look older or younger: then more is polled, or less.
 */
const freshMs = 1_000;

export interface PollPaceDeps {
  readonly time: SteadyTime;
  readonly wakes: Wakes;
  readonly random: () => number;
  readonly options: ResolvedConsumeOptions;
}

/** Decides when to ask again: by what answers bring, and by what is pushed through the same handle. */
export class PollPace {
  readonly #time: SteadyTime;
  readonly #wakes: Wakes;
  readonly #schedule: PollSchedule;
  /** The last answer brought as many messages as were asked for. */
  lastWasFull = false;

  constructor({ time, wakes, random, options }: PollPaceDeps) {
    this.#time = time;
    this.#wakes = wakes;
    this.#schedule = new PollSchedule(options.maxIdleMs, random);
  }

  /** When to ask, in steady milliseconds. */
  get notBefore(): number {
    return Math.min(this.#schedule.notBefore, this.#wakes.notBefore);
  }

  /** Asks an idle queue at once. */
  wake(): void {
    this.#schedule.wake();
  }

  /** A message was given back that comes again in a while. */
  onRetried(): void {
    this.#schedule.onTraffic(this.#time.now());
  }

  /** Notes what an answer brought. */
  answered({ asked, wanted, asking, sentAt }: Pull, messages: readonly PulledMessage[], now: number): void {
    const isFull = messages.length >= asked;
    // It may not be there yet everywhere.
    if (asking.covered > 0 && messages.length === 0 && !this.#wakes.isTrying) this.#schedule.wake();
    const freshAfter = this.#time.toWall(now) - freshMs;
    const areFresh = messages.every(({ timestampMs }) => timestampMs >= freshAfter);
    const isOwn = this.#wakes.answered(asking, { brought: messages.length, isFull, areFresh, sentAt, now });
    const hasMore = messages.length >= wanted;
    this.lastWasFull = hasMore && !isOwn;
    if (messages.length === 0) this.#schedule.onEmpty(now);
    else if (isOwn) this.#schedule.onOwn(now, hasMore);
    else this.#schedule.onMessages(now, hasMore, asking.covered > 0);
    // There may be more, that only caution did not ask for.
    if (isFull && !hasMore && !isOwn) this.#schedule.wake();
  }

  /** A pull failed: one at a time from here on. */
  failed(): void {
    this.lastWasFull = false;
  }

  /** The queue's delivery is paused: there is nothing to be had. */
  paused({ asking, sentAt }: Pull, now: number): void {
    this.#wakes.answered(asking, { brought: 0, isFull: false, areFresh: true, sentAt, now });
    this.#schedule.onEmpty(now);
  }
}
