import type { Handlers } from './handlers.ts';
import type { Running } from './running-leases.ts';

/** By how many times what a handler has taken so far its message is leased when it may come again: less is soon over, too. */
const swapShare = 4;

/** So many handlers that were started later and have ended show that one which still runs is no measure for others. */
const mostOvertaken = 4;

/** What the lengths of handlers are read from. */
type Ended = Pick<Handlers, 'finished' | 'meanMs' | 'estimateMs'>;

/**
 * For how long messages should be leased so that their leases last for the work, in milliseconds: as it is expected to take
 * by what has ended, which the time in the buffer doubles.
 */
export function usualLeaseMs({ meanMs, estimateMs }: Ended): number {
  return Math.max(2 * meanMs, estimateMs);
}

/** The same, and by what runs now although it has not ended: that tells no more than how long it takes at least. */
export function workLeaseMs(ended: Ended, running: Running, now: number): number {
  let leaseMs = usualLeaseMs(ended);
  for (const { startedAt, finishedBefore } of running) {
    if (ended.finished - finishedBefore >= mostOvertaken) continue;
    leaseMs = Math.max(leaseMs, 2 * (now - startedAt));
    // The others were started later.
    break;
  }
  return leaseMs;
}

/**
 * For how long messages should be leased because one that runs may come again, in milliseconds; 0 when none may. `Infinity`
 * when it would be for the last time: there is no other lease after that one.
 *
 * @param soonMs - what ends so soon may come again with the next pull
 * @param maxRetries - what the queue is set to: a message with more attempts does not come again
 */
export function swapLeaseMs(running: Running, now: number, soonMs: number, maxRetries: number): number {
  let leaseMs = 0;
  for (const { startedAt, settledAs, deadline, attempts } of running) {
    if (settledAs !== undefined || deadline - now > soonMs || attempts > maxRetries) continue;
    if (attempts === maxRetries) return Infinity;
    leaseMs = Math.max(leaseMs, swapShare * (now - startedAt));
  }
  return leaseMs;
}
