import { grainMs } from './client-time.ts';
import type { Start } from './handler-log.ts';
import type { Ledger } from './ledger.ts';

/**
 * How long a message was on its way to its reader: where several reads are answered in one turn, the handlers of the ones
 * before keep the loop from the promises of the others.
 */
export function onItsWayFor(ledger: Ledger, start: Start): number {
  const { surface } = ledger.client(start.client);
  const starts = ledger.startsBy(start.client);
  const index = starts.indexOf(start);
  let { at } = start;
  for (const before of starts.slice(Math.max(0, index + 1 - (surface.readsAtOnce ?? 1)), index).toReversed()) {
    if (Math.abs(before.at + before.keptMs - at) > grainMs) break;
    ({ at } = before);
  }
  return start.at - at;
}
