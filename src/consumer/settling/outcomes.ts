import type { Settlement } from '../../contract/settlement.ts';
import type { Lease } from '../../lease/lease.ts';

/** Who waits for what became of a settlement. Most settlements are waited for by nobody, and cost nothing here. */
export class Outcomes {
  readonly #waiters = new Map<Lease, Array<(settlement: Settlement) => void>>();

  /** Resolves once the lease's settlement is known; never rejects. */
  of(lease: Lease): Promise<Settlement> {
    if (lease.settlement !== undefined) return Promise.resolve(lease.settlement);
    return new Promise((resolve) => {
      const waiters = this.#waiters.get(lease);
      if (waiters === undefined) this.#waiters.set(lease, [resolve]);
      else waiters.push(resolve);
    });
  }

  /** Tells what became of a settlement. */
  conclude(lease: Lease, settlement: Settlement): void {
    lease.settlement = settlement;
    const waiters = this.#waiters.size === 0 ? undefined : this.#waiters.get(lease);
    if (waiters === undefined) return;
    this.#waiters.delete(lease);
    for (const resolve of waiters) resolve(settlement);
  }
}
