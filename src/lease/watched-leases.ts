import { insertByDeadline } from './in-order.ts';
import type { Lease, LeaseBatch } from './lease.ts';

/** The batches whose end has not been reported, by deadline. */
export class WatchedLeases {
  #batches: LeaseBatch[] = [];
  #compactAt = 64;

  add(batch: LeaseBatch): void {
    insertByDeadline(this.#batches, batch);
  }

  /** The started, unsettled messages whose lease has ended since the last call. */
  lapse(now: number): readonly Lease[] {
    const lapsed: Lease[] = [];
    while (this.#batches[0]?.open === 0) this.#batches.shift();
    for (let batch = this.#batches[0]; batch !== undefined && batch.deadline <= now; batch = this.#batches[0]) {
      this.#batches.shift();
      if (batch.open === 0) continue;
      for (const lease of batch.leases) {
        if (lease.batch === batch && lease.phase === 'started' && lease.settledAs === undefined) lapsed.push(lease);
      }
    }
    this.#compact();
    return lapsed;
  }

  /** One hung handler at the head must not keep every finished batch behind it in memory. */
  #compact(): void {
    if (this.#batches.length < this.#compactAt) return;
    this.#batches = this.#batches.filter((batch) => batch.open > 0);
    this.#compactAt = 2 * this.#batches.length + 64;
  }

  /** When {@link lapse} may have something to report next; `undefined` when nothing is open. */
  nextAt(): number | undefined {
    for (let batch = this.#batches[0]; batch !== undefined; batch = this.#batches[0]) {
      if (batch.open > 0) return batch.deadline;
      this.#batches.shift();
    }
    return undefined;
  }
}
