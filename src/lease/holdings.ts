import { hashOf } from './id-hash.ts';
import { KnownMessages } from './known-messages.ts';
import type { Order } from './lanes.ts';
import { type HeldMessage, Lease, LeaseBatch, type SettleKind } from './lease.ts';
import type { OrderKeeper } from './order-keeper.ts';
import { RunningLeases } from './running-leases.ts';
import { Survived } from './survived.ts';
import { UnstartedLeases } from './unstarted-leases.ts';
import { WatchedLeases } from './watched-leases.ts';

/** What became of the messages of one answer. */
export interface Received {
  /** How many were buffered as new. */
  readonly fresh: number;
  /** How many were repeated deliveries of messages already held: the newer lease stays. */
  readonly swapped: number;
  /** Repeated deliveries of messages whose handler had already succeeded: to be acknowledged, not delivered. */
  readonly done: readonly Lease[];
}

/** What else holdings are told. */
export interface HoldingsOptions {
  /** @defaultValue any */
  readonly order?: Order;
  /** From how many attempts on a message may have ended a process. @defaultValue none */
  readonly suspectFrom?: number;
  /** Those that did not, although they were retried. @defaultValue none */
  readonly survived?: Survived;
}

/** How many finished ids are remembered to recognise a delivery whose acknowledgement was lost. */
const rememberedIds = 10_000;

/** Every message one consumer holds: buffered, deferred or started, each once, by its newest lease. */
export class Holdings {
  readonly #known = new KnownMessages(rememberedIds);
  readonly #watched = new WatchedLeases();
  readonly #suspectFrom: number;
  readonly #survived: Survived;
  /** Buffered or deferred. */
  readonly waiting: UnstartedLeases;
  /** Started and their handler not finished, oldest first. */
  readonly running: RunningLeases = new RunningLeases();
  /** How many handlers have ended. */
  ended = 0;

  /** @param maxRetries - what the queue is set to: a message with more attempts is on its last */
  constructor(
    maxRetries: number,
    { order = 'any', suspectFrom = Infinity, survived = new Survived() }: HoldingsOptions = {},
  ) {
    this.waiting = new UnstartedLeases(maxRetries, order, this.#known);
    this.#suspectFrom = suspectFrom;
    this.#survived = survived;
  }

  /** In which order messages are started, and what is expected again. */
  get order(): OrderKeeper {
    return this.waiting.order;
  }

  /** How many are buffered or deferred. */
  get unstarted(): number {
    return this.waiting.size;
  }

  /** Buffered messages on their last attempt that are no suspects, by deadline. */
  get urgent(): readonly Lease[] {
    return this.waiting.urgent;
  }

  /** Buffered messages that may have ended a process, as they are to be started. */
  get suspects(): readonly Lease[] {
    return this.waiting.suspects;
  }

  /** Of the unstarted, those that wait for no other message and no handler of their own. */
  get buffered(): number {
    return this.waiting.buffered;
  }

  /** Takes in the messages of an answer to a pull sent at `sentAt`. */
  receive(messages: readonly HeldMessage[], sentAt: number, timeoutMs: number, now: number = sentAt): Received {
    const batch = new LeaseBatch(sentAt, timeoutMs);
    const done: Lease[] = [];
    let fresh = 0;
    let swapped = 0;
    for (const message of messages) {
      const hash = hashOf(message.id);
      const held = this.#known.get(message.id, hash);
      if (held === 'done') done.push(new Lease(message, batch, hash));
      else if (held !== undefined && held.settledAs === undefined) {
        if (isNewer(message, batch, held)) this.#swap(held, message, batch);
        swapped += 1;
      } else {
        this.#take(new Lease(message, batch, hash), message, held);
        fresh += 1;
      }
    }
    if (batch.leases.length > 0) {
      this.waiting.addBatch(batch);
      this.#watched.add(batch);
    }
    this.order.arrange(now);
    return { fresh, swapped, done };
  }

  /** Whether a message is held, or was lately finished. */
  knows(id: string): boolean {
    return this.#known.get(id, hashOf(id)) !== undefined;
  }

  /** @param running - its retried earlier delivery, whose handler still runs */
  #take(lease: Lease, message: HeldMessage, running: Lease | undefined): void {
    lease.batch.open += 1;
    // A deferred one takes the place of the retried one: whatever comes next for this id must find the newest.
    this.#known.hold(lease);
    lease.batch.leases.push(lease);
    if (this.waiting.add(lease, message, running)) return;
    lease.isSuspect = lease.attempts >= this.#suspectFrom && !this.#survived.has(lease);
    this.waiting.line(lease);
  }

  #swap(held: Lease, message: HeldMessage, batch: LeaseBatch): void {
    this.waiting.unline(held);
    held.leaseId = message.leaseId;
    held.attempts = message.attempts;
    held.batch.open -= 1;
    batch.open += 1;
    if (held.batch !== batch) batch.leases.push(held);
    held.batch = batch;
    this.waiting.reline(held);
  }

  /** The next message to start, now started, or `undefined`. Call {@link UnstartedLeases.trim} with the same `now` before. */
  start(now: number): Lease | undefined {
    const lease = this.waiting.next();
    if (lease === undefined) return undefined;
    lease.phase = 'started';
    lease.startedAt = now;
    this.running.add(lease);
    if (lease.key !== undefined) this.order.start(lease, now);
    return lease;
  }

  /** Puts a started message back, to be started again within its lease once it is revived. */
  keep(lease: Lease): void {
    this.running.remove(lease);
    lease.isKept = true;
    // Its handler has ended, and the process goes on.
    lease.isSuspect = false;
    this.#survived.add(lease);
    this.waiting.keep(lease);
  }

  /** Takes a kept message out, which is settled after all: its handler counts as one that has ended. */
  takeKept(lease: Lease): void {
    this.waiting.takeKept(lease);
    lease.phase = 'started';
    lease.isParked = true;
  }

  /** Suspects are started in their turn, as all others. */
  mingle(): void {
    this.waiting.mingle();
  }

  /**
   * Takes out of the buffer the newer delivery of a message that was given up when its lease ended and is finished now:
   * to be acknowledged, not delivered. Where it is started or finished itself, whichever settlement comes second finds
   * no lease, and the message acknowledged by the other.
   */
  takeNewer(lease: Lease, now: number): Lease | undefined {
    const newer = this.#known.get(lease.id, lease.hash);
    if (newer === undefined) return undefined;
    if (newer === 'done' || !this.waiting.has(newer)) {
      (newer === 'done' ? lease : newer).mayBeSettled = true;
      return undefined;
    }
    this.waiting.remove(newer, now);
    return newer;
  }

  /** Decides the settlement of a message that was started; `false` when that was done before. */
  settle(lease: Lease, kind: SettleKind, delaySeconds: number | undefined): boolean {
    if (lease.settledAs !== undefined) return false;
    lease.settledAs = kind;
    lease.delaySeconds = delaySeconds;
    // One that is over was given up when its lease ended, and is settled late.
    if (lease.phase === 'started') lease.batch.open -= 1;
    if (kind === 'ack') this.#known.finish(lease);
    return true;
  }

  /**
   * Ends the handler of a started message whose settlement waits for something else: it stays known, so that it is not
   * started once more if it comes again meanwhile. To be finished when it is settled.
   *
   * @returns whether its handler ran until now
   */
  park(lease: Lease): boolean {
    if (!lease.isRunning) return false;
    this.running.remove(lease);
    lease.isParked = true;
    return true;
  }

  /** Ends a started message: its handler is no longer running. */
  finish(lease: Lease, now: number): void {
    if (lease.phase !== 'started') return;
    if (!lease.isParked) this.running.remove(lease);
    this.ended += 1;
    if (lease.settledAs === 'retry') this.#survived.add(lease);
    lease.phase = 'over';
    if (lease.settledAs === undefined) lease.batch.open -= 1;
    // An acknowledged one is known as finished by now.
    if (lease.settledAs !== 'ack') this.#known.release(lease);
    if (lease.key !== undefined) this.order.finish(lease, now);
  }

  /** The started, unsettled messages whose lease has ended since the last call. */
  lapse(now: number): readonly Lease[] {
    return this.#watched.lapse(now);
  }

  /** When {@link lapse} may have something to report next. */
  nextLapseAt(): number | undefined {
    return this.#watched.nextAt();
  }
}

/** Answers may overtake each other: of two deliveries of a message, the one with more attempts was the later. */
function isNewer({ attempts }: HeldMessage, batch: LeaseBatch, held: Lease): boolean {
  return attempts === held.attempts ? batch.deadline >= held.deadline : attempts > held.attempts;
}
