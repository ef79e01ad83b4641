import type { ManualClock } from '../../src/broker.ts';

// Longer is no wait for another try: it is how long something may take.
const longestWaitMs = 30_000;

/**
 * The broker's clock for a command that waits now and then: its waits are over at once, and the time goes on by what they
 * were to take.
 *
 * @param onWait - is told of each wait, in milliseconds
 */
export function hastyClock(clock: ManualClock, onWait: (delayMs: number) => void = () => undefined): ManualClock {
  let skippedMs = 0;
  return Object.assign(Object.create(clock) as ManualClock, {
    now: () => clock.now() + skippedMs,
    monotonic: () => clock.monotonic() + skippedMs,
    setTimer: (callback: () => void, delayMs: number) => {
      if (delayMs > longestWaitMs) return clock.setTimer(callback, delayMs);
      const end = (): void => {
        skippedMs += delayMs;
        onWait(delayMs);
        callback();
      };
      return clock.setTimer(end, 0);
    },
  });
}
