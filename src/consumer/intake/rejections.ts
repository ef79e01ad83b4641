import { errorOf } from '../../contract/callback.ts';
import type { HeldMessage, Lease } from '../../lease/lease.ts';
import type { ResolvedConsumeOptions } from '../consume-options.ts';
import type { ConsumerEvent } from '../events.ts';
import type { Leftovers } from '../pulling/leftovers.ts';
import type { StatsCounter } from '../stats.ts';
import { checkInvalidAction, type InvalidAction } from './invalid-action.ts';
import { viewMessage } from './view-message.ts';

export interface RejectionsDeps {
  readonly options: ResolvedConsumeOptions;
  readonly stats: StatsCounter;
  readonly leftovers: Leftovers;
  readonly report: (event: ConsumerEvent) => void;
  /** Takes a message that can't be handed out, and what is to become of it. */
  readonly reject: (lease: Lease, action: InvalidAction, error: unknown) => void;
}

/** Asks what is to become of invalid messages, and holds those of which `onInvalid` has not said it yet. */
export class Rejections {
  readonly #deps: RejectionsDeps;
  readonly #awaited = new Set<Lease>();
  #hasGivenUp = false;

  constructor(deps: RejectionsDeps) {
    this.#deps = deps;
  }

  /** How many are held. */
  get size(): number {
    return this.#awaited.size;
  }

  /** When the first of their leases ends; `Infinity` when none is held. */
  get nextLapseAt(): number {
    let next = Infinity;
    for (const { deadline } of this.#awaited) next = Math.min(next, deadline);
    return next;
  }

  /** Holds no longer what comes again by itself. */
  lapse(now: number): void {
    for (const lease of this.#awaited) {
      if (lease.deadline > now) continue;
      this.#deps.leftovers.note(lease.deadline);
      this.#awaited.delete(lease);
    }
  }

  /** Waits for no `onInvalid` any longer: what it has not answered for is given back. */
  giveUp(): void {
    this.#hasGivenUp = true;
    const awaited = [...this.#awaited];
    this.#awaited.clear();
    for (const lease of awaited) this.#deps.reject(lease, 'retry', undefined);
  }

  /** What is to become of an invalid message; `undefined` where that is said later, and the message rejected then. */
  ask(lease: Lease, message: HeldMessage, error: Error): InvalidAction | undefined {
    const action = this.#ask(message, error);
    if (typeof action === 'string') return action;
    void this.#await(lease, action, error);
    return undefined;
  }

  /** A promise only where `onInvalid` gives one. */
  #ask(message: HeldMessage, error: Error): InvalidAction | Promise<InvalidAction> {
    const { options, stats, report } = this.#deps;
    const invalid = viewMessage(message);
    stats.invalid += 1;
    report({ type: 'invalid', message: invalid, error });
    const retryAfter = (failure: unknown): InvalidAction => {
      const { id, attempts } = message;
      const failed = errorOf('onInvalid()', failure);
      report({ type: 'callbackFailed', callback: 'onInvalid', message: { id, attempts }, error: failed });
      return 'retry';
    };
    if (typeof options.onInvalid !== 'function') return options.onInvalid;
    try {
      const said = options.onInvalid(invalid, error);
      // Said at once, it holds at once: the callback may have taken so long that nothing more is awaited.
      return typeof said === 'string' ? checked(said) : Promise.resolve(said).then(checked).catch(retryAfter);
    } catch (failure) {
      return retryAfter(failure);
    }
  }

  async #await(lease: Lease, awaited: Promise<InvalidAction>, error: Error): Promise<void> {
    this.#awaited.add(lease);
    const action = await awaited;
    // The answer holds also when the lease is over: an acknowledgement may come late.
    if (this.#awaited.delete(lease) || !this.#hasGivenUp) this.#deps.reject(lease, action, error);
  }
}

function checked(said: InvalidAction): InvalidAction {
  checkInvalidAction('onInvalid()', said);
  return said;
}
