import type { Clock } from '../../src/index.ts';
import { systemClock } from '../../src/contract/system-clock.ts';

/** When all fast clocks show the machine's time: two processes have the same one. */
const sameAt = Date.UTC(2026, 0, 1);

/** The machine's clock, so many times as fast: delays of minutes pass in seconds, over real sockets. */
export function fastClock(speed: number): Clock {
  return {
    now: () => sameAt + (systemClock.now() - sameAt) * speed,
    monotonic: () => systemClock.monotonic() * speed,
    setTimer: (callback, delayMs) => systemClock.setTimer(callback, delayMs / speed),
  };
}
