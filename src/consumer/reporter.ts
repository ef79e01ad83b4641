import { errorOf, watch } from '../contract/callback.ts';
import type { Observers } from '../contract/observers.ts';
import type { ResolvedConsumeOptions } from './consume-options.ts';
import type { ConsumerEvent } from './events.ts';
import type { StatsCounter } from './stats.ts';

/** Makes what tells events to whom they concern: `stats`, observers and `onEvent`, whatever that does. */
export function createReporter(
  options: Pick<ResolvedConsumeOptions, 'onEvent'>,
  stats: Pick<StatsCounter, 'lastError'>,
  observers: Observers | undefined,
): (event: ConsumerEvent) => void {
  const note = (error: unknown): void => void (stats.lastError = errorOf('onEvent()', error));
  return (event) => {
    // A handler may fail with no error at all.
    if ('error' in event) stats.lastError = event.error ?? errorOf('The work', event.error);
    observers?.tell((observer) => observer.event?.(event, observers.queue));
    try {
      watch(options.onEvent?.(event), note);
    } catch (error) {
      note(error);
    }
  };
}
