import type { Holdings } from '../../lease/holdings.ts';
import type { Lease } from '../../lease/lease.ts';
import type { SteadyTime } from '../steady-time.ts';
import type { Puller } from './puller.ts';
import type { Wakes } from './wakes.ts';

export interface ComebackDeps {
  readonly time: SteadyTime;
  readonly wakes: Wakes;
  readonly holdings: Holdings;
  readonly puller: Puller;
  /** Asks for a turn. */
  readonly wake: () => void;
}

/**
 * Has a message looked for that comes again, as it is known now what became of its settlement.
 *
 * @param isRetried - it is in the queue again
 */
export function expectComeback(deps: ComebackDeps, lease: Lease, isRetried: boolean, isEnding: boolean): void {
  const { holdings, puller, time, wakes, wake } = deps;
  const { delaySeconds, isUnstarted, key } = lease;
  if (isRetried) {
    if (isUnstarted || (isEnding && delaySeconds === 0)) {
      // What is given back in the end is for others.
      if (isEnding) wakes.push(1);
    } else if (delaySeconds === 0) {
      // Its handler wants to see it again at once.
      puller.wake();
      wake();
    } else puller.onRetried();
  }
  if (key !== undefined && lease.settledAs === 'retry') holdings.order.expectAgain(lease, isRetried, time.now());
}
