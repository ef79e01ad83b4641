import { QueueError } from '../../contract/errors.ts';
import type { Lease } from '../../lease/lease.ts';

/** The abort signals of the messages whose signal somebody asked for. */
export class LeaseSignals {
  readonly #now: () => number;
  readonly #onFirst: () => void;
  readonly #controllers = new Map<Lease, AbortController>();
  #graceIsOver = false;

  /** @param onFirst - called when there is a signal to be watched, and there was none */
  constructor(now: () => number, onFirst: () => void) {
    this.#now = now;
    this.#onFirst = onFirst;
  }

  /** How many are live. */
  get size(): number {
    return this.#controllers.size;
  }

  /** The signal of a message; never aborts when the message is settled, has aborted when its lease is over. */
  of(lease: Lease): AbortSignal {
    const existing = this.#controllers.get(lease);
    if (existing !== undefined) return existing.signal;
    const controller = new AbortController();
    if (lease.settledAs !== undefined) return controller.signal;
    if (this.#graceIsOver) controller.abort(graceEnded());
    else if (lease.phase !== 'started' || lease.deadline <= this.#now()) controller.abort(leaseEnded(lease));
    else {
      this.#controllers.set(lease, controller);
      if (this.#controllers.size === 1) this.#onFirst();
    }
    return controller.signal;
  }

  /** Aborts the signal of a message whose lease is over. */
  endLease(lease: Lease): void {
    this.#abort(lease, leaseEnded(lease));
  }

  /** Aborts the signal of a message whose handler may run no longer. */
  timeOut(lease: Lease, reason: QueueError): void {
    this.#abort(lease, reason);
  }

  /** Aborts every signal, those asked for later included: the consumer closes and has waited for long enough. */
  endGrace(): void {
    this.#graceIsOver = true;
    for (const lease of this.#controllers.keys()) this.#abort(lease, graceEnded());
  }

  #abort(lease: Lease, reason: QueueError): void {
    const controller = this.#controllers.get(lease);
    this.#controllers.delete(lease);
    controller?.abort(reason);
  }

  /** The message is settled: its signal will never abort. */
  forget(lease: Lease): void {
    if (this.#controllers.size > 0) this.#controllers.delete(lease);
  }
}

function leaseEnded(lease: Lease): QueueError {
  return new QueueError(`The lease of message ${lease.id} ended`, { code: 'lease-expired' });
}

function graceEnded(): QueueError {
  return new QueueError('The consumer was closed and ran out of grace', { code: 'closed' });
}
