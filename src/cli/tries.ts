import type { Clock } from '../contract/clock.ts';
import { delay } from '../contract/delay.ts';
import { QueueError } from '../contract/errors.ts';
import { Backoff } from '../lease/backoff.ts';
import { Patience } from '../lease/patience.ts';

/** The time that a command has for something. */
export interface Tries {
  readonly clock: Clock;
  /** The steady time, in milliseconds. */
  readonly now: () => number;
  /** On the steady time: what can't be done by then is given up. */
  readonly endsAt: () => number;
}

/**
 * Tries again, with growing pauses, or for as long as the service asks, what fails in passing.
 *
 * @throws the failure that is not in passing, or the last one before the end
 */
export async function tryUntil<Result>(work: () => Promise<Result>, { clock, now, endsAt }: Tries): Promise<Result> {
  // What is to be settled was pulled with the same credential.
  const patience = new Patience({ hasWorked: true });
  // A command is alone: it need not keep out of the way of others like it.
  const backoff = new Backoff({ firstMs: 200, maxMs: 5_000 }, () => 1);
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const at = now();
      if (patience.judge(error, at) === 'final') throw error;
      const askedMs = error instanceof QueueError ? (error.retryAfterMs ?? 0) : 0;
      const pauseMs = Math.max(askedMs, patience.limit(backoff.fail(), at));
      if (at + pauseMs >= endsAt()) throw error;
      await delay(undefined, clock, pauseMs);
    }
  }
}
