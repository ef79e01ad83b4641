import type { Lease } from './lease.ts';
import type { Running } from './running-leases.ts';
import type { StartLimit } from './start-limit.ts';

/** For how many leases a consumer is on its guard after it began, or met a suspect: others may have ended meanwhile. */
const guardLeases = 4;

/** For what part of a lease a suspect waits for what runs, and what could run for the suspect. */
const patienceShare = 0.5;

/** For how many leases suspects may keep all else waiting at a stretch, and for what share of the time in the long run. */
const budgetLeases = 2;
const budgetShare = 0.1;

/** For what part of a lease a queue must have been empty: where messages keep coming, those of a crash come among others. */
const quietShare = 0.25;

/** What is held, as far as suspects are concerned. */
export interface SuspectHoldings {
  readonly running: Running;
  /** How many can be started, suspects included. */
  readonly buffered: number;
  /** Those of them that are suspects. */
  readonly suspects: readonly Lease[];
  /** Those of them that are not, and are on their last attempt. */
  readonly urgent: readonly Lease[];
  /** How many handlers have ended. */
  readonly ended: number;
  /** Has suspects started in their turn, as all others. */
  mingle(): void;
}

/**
 * From how many attempts on a message is suspect that no handler here has survived: on its last two, the least that tell
 * it from its neighbours. On the first nobody is.
 */
export function suspectFrom(maxRetries: number): number {
  return Math.max(2, maxRetries);
}

/**
 * The order of suspects: those with the fewest attempts left first. Of others what comes first changes with each attempt,
 * so that each neighbour of one that ends the process is started before it once.
 */
export function bySuspicion(a: Lease, b: Lease): number {
  if (a.attempts !== b.attempts) return b.attempts - a.attempts;
  return a.attempts % 2 === 0 ? a.hash - b.hash : b.hash - a.hash;
}

/**
 * Starts messages that may have ended a process one by one, each when nothing else is in hand: so that what does end it
 * takes nothing along.
 *
 * Nothing tells a process that the one before it was ended, and what that held comes again all at once. So one that has
 * begun lately, and works on nothing, asks a queue that was empty for a while for one message, and for few while it gets
 * only repeated ones.
 */
export class Isolation implements StartLimit {
  readonly #holdings: SuspectHoldings;
  readonly #leaseMs: number;
  readonly #isPending: () => boolean;
  #guardUntil: number | undefined = undefined;
  /** How many handlers had ended when few were to be asked for; `undefined` when any number may be. */
  #fewSince: number | undefined = 0;
  /** When an answer brought something last. */
  #broughtAt = -Infinity;
  /** The suspect for which all else waits. */
  #lone: Lease | undefined = undefined;
  /** Since when all else waits for that one, or the next one for what runs. */
  #since: number | undefined = undefined;
  /** For how long all else has waited, in milliseconds, less what was made good. */
  #spentMs = 0;
  #isSpent = false;
  #lookedAt = Infinity;

  /**
   * @param leaseMs - how long leases are, in milliseconds
   * @param isPending - whether anything that has not been answered would be lost with the process
   */
  constructor(holdings: SuspectHoldings, leaseMs: number, isPending: () => boolean) {
    this.#holdings = holdings;
    this.#leaseMs = leaseMs;
    this.#isPending = isPending;
  }

  /** Notes the messages of an answer, which are held by now. */
  onAnswer(messages: readonly { readonly attempts: number }[], now: number): void {
    const { suspects, ended } = this.#holdings;
    if (suspects.length > 0) this.#guardUntil = now + guardLeases * this.#leaseMs;
    const isQuiet = messages.length === 0 && now >= this.#broughtAt + quietShare * this.#leaseMs;
    if (messages.length > 0) this.#broughtAt = now;
    if (isQuiet || suspects.length > 0) this.#fewSince = ended;
    else if (messages.some(({ attempts }) => attempts < 2)) this.#fewSince = undefined;
  }

  startable(now: number): number {
    this.#look(now);
    const { running, buffered, suspects, urgent } = this.#holdings;
    if (this.#isSpent || urgent.length > 0) return Infinity;
    if (this.#lone !== undefined) return 0;
    if (suspects.length === 0 || buffered > suspects.length) return Infinity;
    return (running.size === 0 && !this.#isPending()) || now >= this.nextAt() ? 1 : 0;
  }

  startableWithin(_: number, now: number): number {
    this.#look(now);
    // No more than is there: nothing is pulled.
    return this.#since === undefined ? Infinity : this.#holdings.buffered;
  }

  nextAt(): number {
    return this.#since === undefined ? Infinity : this.#since + patienceShare * this.#leaseMs;
  }

  onStarted(lease: Lease, now: number): void {
    if (!lease.isSuspect || this.#isSpent) return;
    this.#lone = lease;
    this.#since = now;
  }

  /** How many messages may be held unstarted, those asked for included. */
  most(now: number): number {
    this.#guardUntil ??= now + guardLeases * this.#leaseMs;
    const isBusy = this.#holdings.running.size > 0;
    if (isBusy || this.#fewSince === undefined || now >= this.#guardUntil) return Infinity;
    return 1 + this.#holdings.ended - this.#fewSince;
  }

  #look(now: number): void {
    const passedMs = Math.max(0, now - this.#lookedAt);
    this.#lookedAt = now;
    if (this.#since === undefined) this.#spend(-budgetShare * passedMs);
    else {
      // For longer nobody could look, and nothing waited for a suspect, while it was paused or the machine slept.
      const waitedMs = Math.min(passedMs, patienceShare * this.#leaseMs);
      this.#since += passedMs - waitedMs;
      this.#spend(waitedMs);
    }
    const isAwaited = this.#lone !== undefined && this.#lone.isRunning && now < this.nextAt();
    if (isAwaited && !this.#isSpent) return;
    if (this.#lone !== undefined || this.#isSpent) this.#since = undefined;
    this.#lone = undefined;
    if (this.#isSpent) this.#holdings.mingle();
    else this.#since = this.#holdings.suspects.length > 0 ? (this.#since ?? now) : undefined;
  }

  #spend(ms: number): void {
    const budgetMs = budgetLeases * this.#leaseMs;
    this.#spentMs = Math.min(budgetMs, Math.max(0, this.#spentMs + ms));
    this.#isSpent = this.#spentMs >= (this.#isSpent ? budgetMs / 2 : budgetMs);
  }
}
