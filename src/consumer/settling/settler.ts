import { QueueError } from '../../contract/errors.ts';
import type { ObservedSettlement, SettleEnd } from '../../contract/observer.ts';
import type { Observers, Ongoing } from '../../contract/observers.ts';
import type { Settlement } from '../../contract/settlement.ts';
import type { AckRequest, AckResult, QueueTransport, RetryRequest } from '../../contract/transport.ts';
import { Backoff } from '../../lease/backoff.ts';
import { mayHaveTakenEffect } from '../../lease/failure-policy.ts';
import type { Gates } from '../../lease/gates.ts';
import type { Lease } from '../../lease/lease.ts';
import { Patience, type Standing } from '../../lease/patience.ts';
import { planFlush } from '../../lease/plan-flush.ts';
import { readOutcomes } from '../../lease/read-outcomes.ts';
import { type Call, openCall } from '../call.ts';
import type { ConsumerEvent } from '../events.ts';
import type { StatsCounter } from '../stats.ts';
import type { SteadyTime } from '../steady-time.ts';
import { PendingSettlements } from './pending-settlements.ts';
import { closed, expired, failed, unsure } from './unconfirmed.ts';

export interface SettlerDeps {
  readonly transport: QueueTransport;
  readonly time: SteadyTime;
  readonly gates: Gates;
  readonly standing: Standing;
  readonly random: () => number;
  readonly observers: Observers | undefined;
  readonly batchSize: number;
  readonly visibilityTimeoutMs: number;
  readonly stats: StatsCounter;
  readonly roundTripMs: () => number;
  readonly report: (event: ConsumerEvent) => void;
  readonly onOutcome: (lease: Lease, settlement: Settlement) => void;
  readonly onFinal: (error: unknown) => void;
  /** A call ended. */
  readonly onEnd: () => void;
}

/** What the engine knows beside the settlements when their calls are planned. */
export interface SettleSituation {
  /** Whether nothing that is at work or can be started is to be settled, so that no company is to be expected. */
  readonly isWaiting: () => boolean;
  /** The time left is short, so that no call is waited for. */
  readonly isClosing: boolean;
  /** How long the event loop may be kept from the next turn, in milliseconds. */
  readonly stallMs: number;
}

/** The bounds of the time that a settle call may take, in milliseconds. */
const callTimeout = { leastMs: 1_000, mostMs: 10_000, afterTimeoutsMs: 60_000 };

/** A call that was sent, and what it carries. */
interface Sent {
  readonly call: Call;
  readonly leases: readonly Lease[];
  readonly settling: Ongoing<SettleEnd> | undefined;
}

/** Gathers settlements into calls, repeats what failed, and tells each message what became of it. */
export class Settler {
  readonly #deps: SettlerDeps;
  readonly #backoff: Backoff;
  readonly #patience: Patience;
  /** What was sent and not answered. No set, for the sake of memory, as for pulls. */
  #underWay: readonly Sent[] = [];
  readonly #pending = new PendingSettlements();
  #unconfirmed = 0;
  #timeouts = 0;

  constructor(deps: SettlerDeps) {
    this.#deps = deps;
    this.#backoff = new Backoff({ firstMs: 100, maxMs: 5_000 }, deps.random);
    this.#patience = new Patience(deps.standing);
  }

  /** How many calls have not ended, those given up included. */
  calls = 0;
  /** When the service last confirmed a settlement. */
  confirmedAt: number = -Infinity;

  /** Settlements decided and not confirmed, on their way or not. */
  get unconfirmed(): number {
    return this.#unconfirmed;
  }

  /** Whether something waits to be sent that nothing holds back. */
  hasSendable(now: number): boolean {
    return this.#pending.size > 0 && this.#deps.gates.notBefore('ack') <= now;
  }

  /** Whether settlements wait for anything but company: for an answer, or until they may be sent. */
  get areHeldUp(): boolean {
    const { gates, time } = this.#deps;
    return this.#underWay.length > 0 || this.#backoff.failures > 0 || gates.notBefore('ack') > time.now();
  }

  /** Takes a lease whose settlement has been decided. */
  add(lease: Lease, now: number): void {
    // Work that ended after its lease is repeated once as well.
    if (lease.deadline <= now) lease.lateTries = 2;
    this.#unconfirmed += 1;
    this.#pending.add(lease, now);
  }

  /** Sends what is due. Gives the time at which the rest will be, `Infinity` when nothing waits for the time. */
  plan(now: number, { isWaiting, isClosing, stallMs }: SettleSituation): number {
    const { batchSize, gates, roundTripMs, time } = this.#deps;
    const pending = this.#pending;
    // Whoever is told of it may take time.
    for (; pending.earliestDeadline <= now; now = time.now())
      pending.expire(now, (lease) => this.#conclude(lease, expired(lease)));
    while (pending.size > 0) {
      const notBefore = gates.notBefore('ack');
      if (notBefore > now) return Math.min(notBefore, pending.earliestDeadline);
      const state = {
        callsUnderWay: isClosing ? 0 : this.#underWay.length,
        batchSize,
        roundTripMs: roundTripMs(),
        isWaiting,
        // What is to be given back in the end should not wait.
        stallMs: isClosing ? 0 : stallMs,
      };
      const flushAt = planFlush(pending, state, now);
      if (flushAt > now) return flushAt;
      this.#flush(now);
    }
    return Infinity;
  }

  #flush(now: number): void {
    const leases = this.#pending.takeCall(this.#deps.batchSize, now);
    for (const lease of leases) if (lease.deadline <= now) lease.lateTries -= 1;
    this.#send(leases);
  }

  #send(leases: readonly Lease[]): void {
    const { observers, transport, stats, visibilityTimeoutMs, roundTripMs } = this.#deps;
    this.calls += 1;
    stats.settleCalls += 1;
    const usual = Math.min(
      callTimeout.mostMs,
      Math.max(callTimeout.leastMs, visibilityTimeoutMs / 4, 4 * roundTripMs()),
    );
    const call = openCall(Math.min(callTimeout.afterTimeoutsMs, usual * 2 ** this.#timeouts));
    const settling = observers?.begin('settle', { messages: leases.map(settlementOf) });
    const sent = { call, leases, settling };
    this.#underWay = [...this.#underWay, sent];
    transport.ack(toRequest(leases), call.options).then(
      (result) => this.#answered(sent, result),
      (error: unknown) => this.#failed(sent, error),
    );
  }

  /** `false` when the call was given up before. */
  #end(sent: Sent, how: Omit<SettleEnd, 'durationMs'> = {}): boolean {
    this.calls -= 1;
    if (!this.#underWay.includes(sent)) {
      this.#deps.onEnd();
      return false;
    }
    this.#underWay = this.#underWay.filter((other) => other !== sent);
    sent.settling?.end(how);
    return true;
  }

  #answered(sent: Sent, result: AckResult): void {
    if (!this.#end(sent)) return;
    const { leases } = sent;
    this.#backoff.succeed();
    this.#patience.succeed();
    this.#timeouts = 0;
    const now = this.#deps.time.now();
    const outcomes = readOutcomes(leases, result, now);
    if (outcomes.some(({ outcome }) => outcome === 'acked' || outcome === 'retried')) this.confirmedAt = now;
    outcomes.forEach((outcome, index) => {
      const lease = leases[index];
      if (lease !== undefined) this.#conclude(lease, unsure(lease, outcome));
    });
    this.#deps.onEnd();
  }

  #failed(sent: Sent, error: unknown): void {
    if (!this.#end(sent, { error })) return;
    const { leases } = sent;
    const now = this.#deps.time.now();
    this.#deps.stats.lastError = error;
    const kind = this.#patience.judge(error, now);
    if (kind === 'final') {
      for (const lease of leases) this.#conclude(lease, failed(lease, error));
      this.#deps.onFinal(error);
    } else {
      // It is no fault of theirs: finished work is acknowledged when the service takes settlements again.
      if (kind === 'patient') for (const lease of leases) lease.lateTries = Math.max(lease.lateTries, 1);
      this.#repeat(leases, error, now);
    }
    this.#deps.onEnd();
  }

  #repeat(leases: readonly Lease[], error: unknown, now: number): void {
    if (error instanceof QueueError && error.code === 'timeout') this.#timeouts = Math.min(this.#timeouts + 1, 6);
    this.#deps.gates.close('ack', error, this.#patience.limit(this.#backoff.fail(), now), now);
    const retryInMs = this.#deps.gates.notBefore('ack') - now;
    this.#deps.report({ type: 'settleFailed', error, retryInMs, messages: leases.length });
    for (const lease of leases) {
      if (mayHaveTakenEffect(error)) lease.mayBeSettled = true;
      const mayTryAgain = lease.deadline > now || (lease.settledAs === 'ack' && lease.lateTries > 0);
      if (mayTryAgain) this.#pending.addAgain(lease, now);
      else this.#conclude(lease, failed(lease, error));
    }
  }

  #conclude(lease: Lease, settlement: Settlement): void {
    this.#unconfirmed -= 1;
    this.#deps.onOutcome(lease, settlement);
  }

  /** Ends the calls under way, and concludes what they carry and what is pending; waits for no answer. */
  giveUp(): void {
    const pending = this.#pending.takeAll();
    const underWay = this.#underWay;
    this.#underWay = [];
    for (const { call, leases, settling } of underWay) {
      call.giveUp();
      settling?.end({ error: closed('confirmed') });
      for (const lease of leases) this.#conclude(lease, { outcome: 'unknown', error: closed('confirmed') });
    }
    for (const lease of pending) this.#conclude(lease, failed(lease, closed('sent')));
  }
}

function toRequest(leases: readonly Lease[]): AckRequest {
  const acks: string[] = [];
  const retries: RetryRequest[] = [];
  for (const lease of leases) {
    const { leaseId, delaySeconds } = lease;
    if (lease.settledAs === 'ack') acks.push(leaseId);
    else retries.push(delaySeconds === undefined ? { leaseId } : { leaseId, delaySeconds });
  }
  return { acks, retries };
}

function settlementOf({ id, attempts, settledAs = 'ack' }: Lease): ObservedSettlement {
  return { id, attempts, kind: settledAs };
}
