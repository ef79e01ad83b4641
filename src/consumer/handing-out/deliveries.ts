import type { Engine } from '../engine.ts';
import { DeliveredMessage } from './delivered-message.ts';
import type { LeasedMessage } from './leased-message.ts';
import type { DeliveredBatch } from './delivered-batch.ts';
import { type BatchBounds, takeBatch } from './take-batch.ts';
import { unseenMode } from './modes.ts';
import { observeWork } from './observe-work.ts';
import type { Lease, SettleKind } from '../../lease/lease.ts';

/** What an iterator hands out, one item at a time, and how the one in hand is settled. */
export interface Deliveries<Item> {
  /** The next item, or when to look again if there is none. */
  take(now: number): Item | number;
  /** Settles what of the item in hand was not settled by hand. */
  complete(kind: SettleKind, now: number): void;
  /** Does work on an item, in the context of its observers. */
  run(item: Item, work: (item: Item) => void): void;
  /** Whether all work is done so. */
  isRun: boolean;
  /** Leaves the item in hand, and all that follow, to be settled by hand, by code that the engine can't see. */
  letGo(): void;
}

/** Message by message. */
export class MessageDeliveries<Body> implements Deliveries<LeasedMessage<Body>> {
  readonly #engine: Engine;
  #isAuto: boolean;
  isRun = false;
  #inHand: Lease | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#isAuto = engine.options.settle === 'auto';
  }

  take(now: number): LeasedMessage<Body> | number {
    const lease = this.#engine.take(now);
    if (lease === undefined) return Infinity;
    if (this.#isAuto) this.#inHand = lease;
    const message = new DeliveredMessage<Body>(lease, this.#engine.keeper);
    const { observers } = this.#engine;
    if (observers !== undefined) observeWork(observers, [lease], [message], { isBatch: false, isRun: this.isRun });
    return message;
  }

  run(message: LeasedMessage<Body>, work: (message: LeasedMessage<Body>) => void): void {
    DeliveredMessage.run(message, work);
  }

  complete(kind: SettleKind, now: number): void {
    if (this.#inHand === undefined) return;
    this.#engine.complete(this.#inHand, kind, now);
    this.#inHand = undefined;
  }

  letGo(): void {
    this.#isAuto = false;
    this.#inHand = undefined;
    this.#engine.parts.handouts.changeMode(unseenMode(this.#engine.options));
  }
}

/** Batch by batch. */
export class BatchDeliveries<Body> implements Deliveries<DeliveredBatch<Body>> {
  readonly #engine: Engine;
  readonly #bounds: BatchBounds;
  isRun = false;
  #isAuto = true;
  #inHand: DeliveredBatch<Body> | undefined;

  constructor(engine: Engine, bounds: BatchBounds) {
    this.#engine = engine;
    this.#bounds = bounds;
  }

  take(now: number): DeliveredBatch<Body> | number {
    const batch = takeBatch<Body>(this.#engine, this.#bounds, now, this.isRun);
    if (typeof batch !== 'number' && this.#isAuto) this.#inHand = batch;
    return batch;
  }

  run(batch: DeliveredBatch<Body>, work: (batch: DeliveredBatch<Body>) => void): void {
    batch.run(work);
  }

  complete(kind: SettleKind, now: number): void {
    for (const lease of this.#inHand?.leases ?? []) this.#engine.complete(lease, kind, now);
    this.#inHand = undefined;
  }

  letGo(): void {
    this.#isAuto = false;
    this.#inHand = undefined;
    this.#engine.parts.handouts.changeMode(unseenMode(this.#engine.options, this.#bounds.size));
  }
}
