import type { PulledMessage } from '../contract/message.ts';
import type { Settlement } from '../contract/settlement.ts';
import { hashOf } from './id-hash.ts';
import type { ObservedWork } from './observed-work.ts';

/** How a lease ends by the consumer's will. */
export type SettleKind = 'ack' | 'retry';

/**
 * Where a held message stands.
 *
 * - `buffered`: leased, waiting to be started. → `started`, `deferred` when an older one of its key comes, or `over` when
 *   released or dropped
 * - `deferred`: leased, waiting for another message of its key, or for the handler of its own earlier delivery, which was
 *   retried and still runs. → `buffered` when its turn comes, or `over` when released or dropped
 * - `started`: handed out, its handler runs. → `over` when the handler ends
 * - `over`: no longer held; its settlement may still be on its way
 */
export type LeasePhase = 'buffered' | 'deferred' | 'started' | 'over';

/** A message as it is handed out. */
export interface HeldMessage extends PulledMessage {
  /** The decoded body as it came, where a schema or `decode` made another of it. */
  readonly rawBody?: unknown;
  /** Where an order is kept: messages of one key are started in theirs. */
  readonly key?: string;
}

/** The messages of one pull: they share a deadline. */
export class LeaseBatch {
  /** When the leases end, in steady milliseconds: counted from before the pull was sent. */
  readonly deadline: number;
  /** The visibility timeout that the pull asked for, in milliseconds. */
  readonly timeoutMs: number;
  readonly leases: Lease[] = [];
  /** Where the next message to start stands in `leases`; everything before it has been looked at. */
  cursor = 0;
  /** How many of its messages are held and unsettled. */
  open = 0;

  constructor(sentAt: number, timeoutMs: number) {
    this.deadline = sentAt + timeoutMs;
    this.timeoutMs = timeoutMs;
  }
}

/** One message in the hands of one consumer. */
export class Lease {
  /** Of the message: the same on every delivery. */
  readonly id: string;
  /** The id's. */
  readonly hash: number;
  /** The length of the body, in characters. */
  readonly bodyLength: number;
  #message: HeldMessage | undefined;
  /** The newest lease id: a repeated delivery replaces it. */
  leaseId: string;
  attempts: number;
  batch: LeaseBatch;
  phase: LeasePhase = 'buffered';
  /** Of its lane, where it has one. */
  key: string | undefined = undefined;
  /** It may be what ended the process that had it before. */
  isSuspect = false;
  startedAt = 0;
  /** How many handlers had ended when it was started. */
  finishedBefore = 0;
  /** What was decided; the first decision stays. */
  settledAs: SettleKind | undefined = undefined;
  /** The delay of a retry in seconds; `undefined` leaves it to the queue. */
  delaySeconds: number | undefined = undefined;
  /** Settled by the engine itself, without having been handed out. */
  isUnstarted = false;
  /** Started while a breaker was not closed: it may be started again within its lease. */
  isProbe = false;
  /** Its work has failed, and it is kept to be started again. */
  isKept = false;
  /** Its settlement waits for something else; no other has effect. */
  isClaimed = false;
  /** Written to a sink, which settles it when it has pushed what became of it: its own consumer does not. */
  isForwarded = false;
  /** Its handler ended before its settlement was decided, which waits for something else. */
  isParked = false;
  /** Not waited for any longer: its lease ended, or the consumer's grace. */
  isAbandoned = false;
  /** How often its acknowledgement may still be sent after the deadline. */
  lateTries = 1;
  /** A call that carried the settlement failed in a way that leaves open whether it took effect. */
  mayBeSettled = false;
  /** What became of it, once that is known. */
  settlement: Settlement | undefined = undefined;
  /** Whom to tell. */
  askers: Array<(settlement: Settlement) => void> | undefined = undefined;
  /** The work on it, while there is some that anybody observes. */
  observed: ObservedWork | undefined = undefined;
  /** The next of those that are held and share a bucket. */
  heldBefore: Lease | undefined = undefined;
  /** Its neighbours in the list of those that run. */
  startedBefore: Lease | undefined = undefined;
  startedAfter: Lease | undefined = undefined;

  /** @param hash - the message id's */
  constructor(message: HeldMessage, batch: LeaseBatch, hash: number = hashOf(message.id)) {
    this.id = message.id;
    this.hash = hash;
    this.bodyLength = message.bodyLength;
    this.#message = message;
    this.leaseId = message.leaseId;
    this.attempts = message.attempts;
    this.batch = batch;
  }

  /** Whether its handler runs. */
  get isRunning(): boolean {
    return this.phase === 'started' && !this.isParked;
  }

  get deadline(): number {
    return this.batch.deadline;
  }

  /**
   * Gives the message, once, to whoever it is handed out to: a lease that waits for its confirmation holds no body, unless
   * it may be started again.
   */
  handOver(): HeldMessage {
    const message = this.#message;
    if (message === undefined) throw new Error(`Message ${this.id} was handed out before`);
    if (!this.isProbe) this.#message = undefined;
    return message;
  }

  /** Has another message handed out than before, which its handler may have changed. */
  renew(renewed: (message: HeldMessage) => HeldMessage | undefined): boolean {
    this.#message &&= renewed(this.#message);
    return this.#message !== undefined;
  }
}
