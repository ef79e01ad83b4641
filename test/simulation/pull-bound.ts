import type { ClientRun, PullNote } from './client.ts';
import type { Start } from './handler-log.ts';
import type { Ledger } from './ledger.ts';
import type { CallRecord } from './network.ts';
import { SerialWork } from './serial-work.ts';

/**
 * The most that a consumer may have leased, asked for and not started when it sends a pull, worked out anew from what
 * its handlers and the network did: the judge shares no code with the engine, which would hide shared mistakes.
 *
 * Asked about one pull after the other, in their order, so that a long run is gone through once.
 */
export class PullBound {
  readonly #concurrency: number;
  readonly #atOnce: number;
  readonly #starts: readonly Start[];
  readonly #ends: readonly Start[];
  readonly #answers: readonly CallRecord[];
  readonly #running = new Set<Start>();
  readonly #usual = new LeastUsualTime();
  readonly #serial: SerialWork;
  #started = 0;
  #ended = 0;
  #answered = 0;
  #roundTripMs = 0;
  #momentAt = -Infinity;
  /** The most that was allowed in this moment. */
  #momentBound = 0;

  constructor(ledger: Ledger, { client, plan, surface }: ClientRun) {
    this.#concurrency = surface.concurrency?.(plan) ?? 1;
    this.#atOnce = surface.atOnce?.(plan) ?? 1;
    this.#serial = new SerialWork(ledger.run.schedule.visibilityTimeoutMs);
    this.#starts = ledger.startsBy(client);
    this.#ends = this.#starts.filter((start) => start.endedSeq < Infinity).toSorted((a, b) => a.endedSeq - b.endedSeq);
    this.#answers = ledger
      .callsBy(client, 'pull')
      .filter((call) => call.isUnderstood)
      .toSorted((a, b) => a.endedSeq - b.endedSeq);
  }

  /** The bound when this pull was sent; never asked about an earlier one afterwards. */
  at(note: PullNote): number {
    // How a handler was left may be on its way to the consumer in this very moment.
    const isOnItsWay = ({ end, endedAt }: Start): boolean => end === 'left' && endedAt === note.at;
    this.#goTo(note.seq, isOnItsWay);
    // Several are sent by what is known when the first of them is.
    if (note.at !== this.#momentAt) this.#momentBound = 0;
    this.#momentAt = note.at;
    this.#momentBound = Math.max(this.#momentBound, this.#bound(note));
    this.#goTo(note.seq, () => false);
    return Math.max(this.#momentBound, this.#bound(note));
  }

  #bound(note: PullNote): number {
    const idle = Math.max(0, this.#concurrency - this.#running.size);
    const usualMs = this.#usual.estimateMs;
    const budgetMs = 0.5 * (note.visibilityTimeoutMs - marginMs(note.visibilityTimeoutMs, this.#roundTripMs));
    const times = [
      ...[...this.#running].map((start) => Math.max(usualMs, note.at - start.at)),
      ...Array.from({ length: idle }, () => usualMs),
    ];
    const startable = times.reduce((sum, handlerMs) => sum + Math.floor(budgetMs / handlerMs), 0);
    // Nothing is known before the first; then as many as can be started one after the other.
    const known = Math.max(this.#atOnce, 4 * this.#started);
    const serial = Math.max(1, Math.floor(budgetMs / this.#serial.leastMs + 1e-6));
    return Math.min(Math.max(idle, startable), Math.max(idle, 4 * this.#ended), known, serial, 1_000);
  }

  /** Takes in what happened before, up to the first end that is not known yet. */
  #goTo(seq: number, isUnknown: (end: Start) => boolean): void {
    for (let next = this.#starts[this.#started]; next !== undefined && next.seq < seq;) {
      this.#running.add(next);
      this.#serial.note(next);
      this.#started += 1;
      next = this.#starts[this.#started];
    }
    for (let next = this.#ends[this.#ended]; next !== undefined && next.endedSeq < seq && !isUnknown(next);) {
      this.#running.delete(next);
      this.#usual.observe(next.endedAt - next.at, next.endedAt);
      this.#ended += 1;
      next = this.#ends[this.#ended];
    }
    for (let next = this.#answers[this.#answered]; next !== undefined && next.endedSeq < seq;) {
      const tookMs = next.endedAt - next.sentAt;
      this.#roundTripMs = this.#answered === 0 ? tookMs : this.#roundTripMs + (tookMs - this.#roundTripMs) / 8;
      this.#answered += 1;
      next = this.#answers[this.#answered];
    }
  }
}

/** The smoothed mean (gain 1/8) plus four mean deviations, of gain 1/4 when they rise and 1/16 when they fall. */
class UsualTime {
  readonly #mean: number | undefined;
  readonly #deviation: number;

  constructor(mean?: number, deviation = 0) {
    this.#mean = mean;
    this.#deviation = deviation;
  }

  /** The same after one more. */
  after(durationMs: number): UsualTime {
    if (this.#mean === undefined) return new UsualTime(durationMs, durationMs / 2);
    const error = durationMs - this.#mean;
    const change = Math.abs(error) - this.#deviation;
    return new UsualTime(this.#mean + error / 8, this.#deviation + change * (change > 0 ? 1 / 4 : 1 / 16));
  }

  get estimateMs(): number {
    return (this.#mean ?? 0) + 4 * this.#deviation;
  }
}

/** What handlers usually take, at the least: in which order a consumer hears of what ends in the same moment is not known. */
class LeastUsualTime {
  #inOrder = new UsualTime();
  #longestFirst = new UsualTime();
  #before = this.#longestFirst;
  #togetherAt = -Infinity;
  #together: number[] = [];

  observe(durationMs: number, endedAt: number): void {
    this.#inOrder = this.#inOrder.after(durationMs);
    if (endedAt !== this.#togetherAt) {
      this.#togetherAt = endedAt;
      this.#together = [];
      this.#before = this.#longestFirst;
    }
    this.#together.push(durationMs);
    this.#longestFirst = this.#together
      .toSorted((a, b) => b - a)
      .reduce((usual, each) => usual.after(each), this.#before);
  }

  get estimateMs(): number {
    return Math.min(this.#inOrder.estimateMs, this.#longestFirst.estimateMs);
  }
}

function marginMs(timeoutMs: number, roundTripMs: number): number {
  return Math.min(timeoutMs / 4, Math.max(timeoutMs / 20, 2 * roundTripMs));
}
