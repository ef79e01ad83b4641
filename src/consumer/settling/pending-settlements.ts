import type { Lease } from '../../lease/lease.ts';
import type { Unsent } from '../../lease/plan-flush.ts';

/** Settlements that were decided and are not on their way, the oldest first. */
export class PendingSettlements implements Unsent {
  #leases: Lease[] = [];
  /** When the oldest was decided, or before that. */
  oldestAt = 0;
  /** When the first of the leases ends that last. */
  earliestDeadline: number = Infinity;
  /** The lease of one is over. */
  isLate = false;

  get size(): number {
    return this.#leases.length;
  }

  /** Somebody wants to know what becomes of one; walks all, and is seldom asked for. */
  get isAwaited(): boolean {
    return this.#leases.some(({ askers }) => askers !== undefined);
  }

  /** Adds one that has just been decided. */
  add(lease: Lease, now: number): void {
    if (this.size === 0) this.oldestAt = now;
    this.addAgain(lease, now);
  }

  /** Adds one that was there before. */
  addAgain(lease: Lease, now: number): void {
    this.#leases.push(lease);
    this.#noteDeadline(lease, now);
  }

  #noteDeadline({ deadline }: Lease, now: number): void {
    if (deadline <= now) this.isLate = true;
    else if (deadline < this.earliestDeadline) this.earliestDeadline = deadline;
  }

  #forgetDeadlines(): void {
    this.earliestDeadline = Infinity;
    this.isLate = false;
  }

  /** Lets go the retries whose lease is over: another consumer may hold the message, and would lose it to them. */
  expire(now: number, letGo: (lease: Lease) => void): void {
    for (const lease of this.takeAll()) {
      if (lease.settledAs === 'retry' && lease.deadline <= now) letGo(lease);
      else this.addAgain(lease, now);
    }
  }

  /** Takes out what the next call carries: nearly always all. */
  takeCall(most: number, now: number): readonly Lease[] {
    if (this.size <= most) return this.takeAll();
    const leases = this.#leases.splice(0, most);
    this.#forgetDeadlines();
    for (const lease of this.#leases) this.#noteDeadline(lease, now);
    return leases;
  }

  takeAll(): readonly Lease[] {
    const leases = this.#leases;
    this.#leases = [];
    this.#forgetDeadlines();
    return leases;
  }
}
