import type { Settlement } from '../../contract/settlement.ts';
import type { Lease } from '../../lease/lease.ts';

/**
 * Resolves once the lease's settlement is known; never rejects. Most settlements are asked for by nobody, and cost nothing
 * here.
 */
export function outcomeOf(lease: Lease): Promise<Settlement> {
  if (lease.settlement !== undefined) return Promise.resolve(lease.settlement);
  return new Promise((resolve) => {
    if (lease.askers === undefined) lease.askers = [resolve];
    else lease.askers.push(resolve);
  });
}

/** Tells what became of a settlement. */
export function conclude(lease: Lease, settlement: Settlement): void {
  const { askers } = lease;
  lease.settlement = settlement;
  lease.askers = undefined;
  for (const resolve of askers ?? []) resolve(settlement);
}
