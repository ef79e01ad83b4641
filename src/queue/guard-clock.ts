import { attempt } from '../contract/callback.ts';
import type { Clock, Timer } from '../contract/clock.ts';
import { systemClock } from '../contract/system-clock.ts';

/** What was made of each clock: handles that were given the same one know each other by it. */
const guarded = new WeakMap<Clock, Clock>();

/** Gives a clock of the user's as one that never fails: the machine's goes on from where it was, and sets its timers. */
export function guardClock(clock: Clock): Clock {
  if (clock === systemClock) return clock;
  const guard = guarded.get(clock) ?? {
    now: guardReading(clock, 'now'),
    monotonic: guardReading(clock, 'monotonic'),
    setTimer(callback, delayMs) {
      const timer = attempt(() => clock.setTimer(callback, delayMs));
      return isTimer(timer) ? timer : systemClock.setTimer(callback, delayMs);
    },
  };
  guarded.set(clock, guard);
  return guard;
}

function guardReading(clock: Clock, name: 'now' | 'monotonic'): () => number {
  let lead = 0;
  return () => {
    const machines = systemClock[name]();
    const given = attempt(() => clock[name]());
    if (typeof given !== 'number' || !Number.isFinite(given)) return machines + lead;
    lead = given - machines;
    return given;
  };
}

/** Gives numbers for jitter, the machine's where the user's are none. */
export function guardRandom(random: () => number, machines: () => number): () => number {
  return () => {
    const given = attempt(random);
    return typeof given === 'number' && given >= 0 && given < 1 ? given : machines();
  };
}

function isTimer(value: unknown): value is Timer {
  const timer = value as Partial<Timer> | null | undefined;
  return [timer?.cancel, timer?.ref, timer?.unref].every((method) => typeof method === 'function');
}
