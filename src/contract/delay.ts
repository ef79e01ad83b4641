import { execute } from 'abort-controller-x';

import type { Clock } from './clock.ts';

/**
 * Waits.
 *
 * @param signal - ends the wait: the promise then rejects with the signal's reason
 */
export async function delay(signal: AbortSignal | undefined, clock: Clock, delayMs: number): Promise<void> {
  if (signal === undefined) return new Promise((resolve) => void clock.setTimer(resolve, delayMs));
  signal.throwIfAborted();
  return execute<void>(signal, (resolve, reject) => {
    const timer = clock.setTimer(() => resolve(), delayMs);
    return () => {
      timer.cancel();
      reject(signal.reason);
    };
  });
}
