import type { Lease } from '../lease/lease.ts';
import type { Closing } from './closing/closing.ts';
import type { Handouts } from './handing-out/handouts.ts';
import type { Parts } from './parts.ts';
import type { SteadyTime } from './steady-time.ts';
import type { Turns } from './turns.ts';

/**
 * After so many milliseconds in which the event loop was not free, nothing is handed out before it has had its turn: so that
 * acknowledgements leave and signals fire. Below lies what a turn costs many times over; ten times as much would be seen by
 * whoever else the loop serves, and where leases are shortest.
 */
const longestStretchMs = 10;

/** How often a paused consumer that somebody waits for looks up, in milliseconds. */
const pausedTurnMs = 3_600_000;

/** Who has messages handed out, as its turns see it. */
export interface TurnHost {
  readonly isPaused: boolean;
  /** How many are waiting for a message: they keep the process alive. */
  readonly waiting: number;
  /** Called in a turn in which something may be taken; gives when it wants another turn at the latest. */
  onReady(now: number): number;
  /** Asks for a turn. */
  wake(): void;
}

/** What a turn does, part by part, and what may be handed out until the next. */
export class TurnWork {
  readonly #host: TurnHost;
  readonly #parts: Parts;
  // Asked for every message.
  readonly #handouts: Handouts;
  readonly #closing: Closing;
  readonly #turns: Turns;
  readonly #time: SteadyTime;
  /** How many messages were handed out since the last turn. */
  #handedOut = 0;

  constructor(host: TurnHost, parts: Parts, turns: Turns, time: SteadyTime) {
    this.#host = host;
    this.#parts = parts;
    this.#handouts = parts.handouts;
    this.#closing = parts.closing;
    this.#turns = turns;
    this.#time = time;
  }

  /** The next message that may be started now; none while the event loop has been waited for too long. */
  take(now: number): Lease | undefined {
    if (this.#closing.hasBegun || this.#host.isPaused || this.#isKept(now)) return undefined;
    const lease = this.#handouts.take(now);
    if (lease === undefined) return undefined;
    this.#handedOut += 1;
    this.#parts.demand.onStarted();
    this.#host.wake();
    return lease;
  }

  /** Whether the event loop has been waited for too long. */
  #isKept(now: number): boolean {
    return this.#turns.waitedMs(now) > longestStretchMs;
  }

  /**
   * Does what is due.
   *
   * @param waitedMs - for how long the event loop was not free
   * @returns when the next turn is wanted at the latest
   */
  run(waitedMs: number): number {
    const { closing, handouts, intake, puller, releases, serial, settler } = this.#parts;
    if (this.#handedOut > 0) serial.observe(waitedMs, this.#handedOut);
    this.#handedOut = 0;
    const now = this.#time.now();
    handouts.trim(now);
    handouts.lapse(now);
    releases.heedBreaker(now);
    intake.lapse(now);
    this.#endWaits(now);
    const wasKept = waitedMs > longestStretchMs;
    // Answers may be there that nobody could read while the event loop was not free: it has its turn first.
    if (!wasKept) puller.underWay.noteOverdue(now);
    else if (puller.isPulling) this.#host.wake();
    const nextAt = closing.hasBegun ? closing.turn(now) : this.#openTurn(now, wasKept);
    const situation = { isWaiting: this.#isWaiting, isClosing: closing.hasBegun, stallMs: serial.stallMs };
    // Handlers and callbacks that ran meanwhile have taken time.
    const settleAt = settler.plan(this.#time.now(), situation);
    return Math.min(nextAt, settleAt, this.#nextLeaseAt());
  }

  /** Whether nothing that is at work or can be started is to be settled: whoever is at work waits for what was settled. */
  readonly #isWaiting = (): boolean => {
    const { handouts, holdings } = this.#parts;
    // A suspect is not started before all of what runs is settled.
    const mayStart = holdings.unstarted > 0 && holdings.suspects.length === 0;
    if (mayStart && handouts.handlers.idle(this.#time.recent()) > 0) return false;
    for (const lease of holdings.running) if (lease.settledAs === undefined) return false;
    return true;
  };

  /** Waits no longer for messages that others wait for, where they could have come again. */
  #endWaits(now: number): void {
    const { breaking, holdings, puller } = this.#parts;
    if (now < holdings.order.nextWaitAt) return;
    const lookedAt = this.#host.isPaused || !breaking.isClosed ? -Infinity : puller.lookedAt;
    if (holdings.order.endWaits(now, puller.roundTripMs, lookedAt)) puller.wake();
  }

  /** @param wasKept - the event loop was not free for long before it: what is handed out now may keep it as long again */
  #openTurn(now: number, wasKept: boolean): number {
    const { closing, demand, handouts } = this.#parts;
    // Whoever waits for a message waits for `resume()`, which is no timer of ours: without one the process would end.
    if (this.#host.isPaused) return this.#host.waiting > 0 ? now + pausedTurnMs : Infinity;
    const pullAt = wasKept ? demand.plan(this.#time.now()) : Infinity;
    const surfaceAt = Math.min(pullAt, this.#host.onReady(this.#time.now()), handouts.nextStartAt(now));
    if (closing.hasBegun) return surfaceAt;
    const later = this.#time.now();
    // What was just handed out says how many may follow, once the loop has had its turn.
    return this.#isKept(later) ? surfaceAt : Math.min(surfaceAt, demand.plan(later));
  }

  #nextLeaseAt(): number {
    const { holdings, intake, puller } = this.#parts;
    const trimAt = holdings.waiting.nextTrimAt(puller.roundTripMs) ?? Infinity;
    const lapseAt = holdings.nextLapseAt() ?? Infinity;
    return Math.min(trimAt, lapseAt, intake.nextLapseAt, puller.underWay.nextOverdueAt, holdings.order.nextWaitAt);
  }

  /** Whether the process is to stay for what comes next. */
  get keepsAlive(): boolean {
    const { closing, settler, signals } = this.#parts;
    if (this.#host.waiting > 0 || settler.unconfirmed > 0) return true;
    return closing.hasBegun ? closing.keepsAlive : signals.size > 0;
  }
}
