import type { DeadLetterQueue, LeasedMessage } from '../../src/consumer/handing-out/leased-message.ts';
import type { Settlement } from '../../src/contract/settlement.ts';
import { type HandlerBlocking, planWork } from './blocking.ts';
import type { HandlerLog, HandSettleKind, Start } from './handler-log.ts';
import { numberOf } from './order-plan.ts';
import type { Moment } from './moment.ts';
import { never, type ProcessClock } from './process-clock.ts';

/** How long a client's handlers take. */
export type HandlerTimes =
  | { readonly shape: 'constant'; readonly ms: number }
  /** One in `oneIn` takes `slowMs`. */
  | { readonly shape: 'bimodal'; readonly ms: number; readonly slowMs: number; readonly oneIn: number }
  /** Messages whose number is a multiple of `oneIn` take `slowMs`: those of one of so many keys. */
  | { readonly shape: 'one key'; readonly ms: number; readonly slowMs: number; readonly oneIn: number }
  /** A Pareto distribution from `ms` up to 40 times as much. */
  | { readonly shape: 'heavy-tail'; readonly ms: number }
  /** `ms` for the first `until` messages, `laterMs` from then on. */
  | { readonly shape: 'jump'; readonly ms: number; readonly until: number; readonly laterMs: number };

/**
 * What a handler does beside taking its time. Where it says "by hand" it settles explicitly.
 *
 * - `ack-first`, `retry-first`: by hand before its work
 * - `ack-last`, `retry-last`: by hand after its work, and waits for what comes of it
 * - `both`: acknowledges by hand, and retries right after
 * - `dead-letter-first`, `dead-letter-last`: moves it to another queue by hand, before or after its work
 * - `dead-letter-and-ack`: begins to move it to another queue before its work, and acknowledges right after
 * - `throw`, `break`: fails or leaves its loop after its work
 * - `ack-and-break`: acknowledges by hand after its work and leaves
 * - `forget`: where nothing settles by itself, it settles nothing
 * - `forward-badly`: where it forwards, it forwards what can't be pushed beside; elsewhere as `forget`
 * - `close`: acknowledges by hand after its work and waits for its consumer to close
 */
export type Deviation = (typeof everyDeviation)[number];

export const everyDeviation = [
  'ack-first',
  'retry-first',
  'ack-last',
  'retry-last',
  'both',
  'dead-letter-first',
  'dead-letter-last',
  'dead-letter-and-ack',
  'throw',
  'break',
  'ack-and-break',
  'forget',
  'forward-badly',
  'close',
] as const;

/** How one client handles its messages. */
export interface HandlerPlan {
  readonly times: HandlerTimes;
  /** @defaultValue they wait, and nothing computes */
  readonly blocking?: HandlerBlocking | undefined;
  /** Ends its waiting at once when the message's signal aborts, and then fails. */
  readonly heedsSignal: boolean;
  /** What single handlers do, by their number: 0 is the client's first. */
  readonly deviations: readonly { readonly nth: number; readonly does: Deviation }[];
}

/** Writes a message to a sink, well or badly; resolves once what became of the write is known. */
export type ForwardMessage = (message: LeasedMessage, how: 'well' | 'badly') => Promise<Settlement>;

/** How a handler ended: by itself, by a failure, or by leaving the loop. */
export type HandlerEnd = 'finish' | 'throw' | 'break';

interface HandlerDeps {
  readonly client: number;
  readonly clock: ProcessClock;
  readonly log: HandlerLog;
  readonly random: () => number;
  readonly plan: HandlerPlan;
  /** Whether every message has to be settled by hand. */
  readonly byHand: boolean;
  /** Where messages are moved to. */
  readonly otherQueue: DeadLetterQueue;
  readonly close: () => Promise<unknown>;
  /** Whether what it needs is down. */
  readonly isDown: () => boolean;
  /** Whether a message ends the process. */
  readonly isPoison: (message: LeasedMessage) => boolean;
  readonly crash: () => void;
}

/** One client's handler: does what its plan says and writes down what it did. */
export class PlannedHandler {
  readonly #deps: HandlerDeps;
  #started = 0;

  constructor(deps: HandlerDeps) {
    this.#deps = deps;
  }

  /**
   * Works on messages that were handed out together, 1 or more. What it settles by hand is the first of them.
   *
   * @param forward - what to do with it in the end; absent where it is not forwarded
   */
  async handle(messages: readonly LeasedMessage[], handed?: Moment, forward?: ForwardMessage): Promise<HandlerEnd> {
    const { clock, log, plan, isPoison, crash } = this.#deps;
    if (clock.hasVanished) return never();
    const starts = messages.map((each) => log.start(this.#deps.client, each, handed));
    const [start] = starts;
    const [message] = messages;
    if (start === undefined || message === undefined) throw new Error('Nothing was handed out');
    if (messages.some(isPoison)) crash();
    if (clock.hasVanished) return never();
    const nth = this.#started;
    this.#started += 1;
    const does = plan.deviations.find((deviation) => deviation.nth === nth)?.does;
    const durationMs = drawDuration(plan.times, nth, message.body, this.#deps.random);
    const work = planWork(durationMs, nth, plan.blocking, this.#deps.random);
    for (const kind of settledFirst(does)) void this.#settle(start, message, kind);
    if (work.firstMs > 0) log.keepLoop(work.firstMs, starts);
    log.wait(work.waitMs, starts);
    const interrupted = work.waitMs === 0 && work.firstMs > 0 ? false : await this.#wait(message, work.waitMs);
    if (!interrupted && work.lastMs > 0) log.keepLoop(work.lastMs);
    if (interrupted || does === 'throw' || this.#deps.isDown()) return this.#end(starts, 'throw');
    if (forward === undefined || (does !== undefined && does !== 'forward-badly')) {
      await this.#settleLast(start, message, does);
    } else {
      void log.settle(start, 'forward', () => forward(message, does === undefined ? 'well' : 'badly'));
    }
    if (does === 'break' || does === 'ack-and-break') return this.#end(starts, 'break');
    return this.#end(starts, 'finish');
  }

  async #settleLast(start: Start, message: LeasedMessage, does: Deviation | undefined): Promise<void> {
    if (does === 'retry-last') await this.#settle(start, message, 'retry');
    else if (does === 'dead-letter-last') await this.#settle(start, message, 'dead-letter');
    else if (does === 'ack-last' || does === 'ack-and-break') await this.#settle(start, message, 'ack');
    else if (does === 'close') {
      void this.#settle(start, message, 'ack');
      await this.#deps.close();
    } else if (this.#deps.byHand && does === undefined) void this.#settle(start, message, 'ack');
  }

  #settle(start: Start, message: LeasedMessage, kind: Exclude<HandSettleKind, 'forward'>): Promise<unknown> {
    if (this.#deps.clock.hasVanished) return never();
    return this.#deps.log.settle(start, kind, () => {
      switch (kind) {
        case 'ack':
          return message.ack();
        case 'retry':
          return message.retry({ delaySeconds: 0 });
        case 'dead-letter':
          return message.deadLetter(this.#deps.otherQueue);
      }
    });
  }

  #end(starts: readonly Start[], end: HandlerEnd): HandlerEnd | Promise<never> {
    if (this.#deps.clock.hasVanished) return never();
    for (const start of starts) this.#deps.log.end(start, end === 'finish' ? 'finished' : 'left');
    return end;
  }

  /** @returns whether the message's signal ended the waiting before its time */
  #wait(message: LeasedMessage, durationMs: number): Promise<boolean> {
    const { clock, plan } = this.#deps;
    return new Promise((resolve) => {
      const timer = clock.setTimer(() => resolve(false), durationMs);
      if (!plan.heedsSignal) return;
      const onAbort = (): void => {
        timer.cancel();
        resolve(true);
      };
      if (message.signal.aborted) onAbort();
      else message.signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}

/** What is settled by hand before the work. */
function settledFirst(does: Deviation | undefined): ReadonlyArray<Exclude<HandSettleKind, 'forward'>> {
  switch (does) {
    case 'ack-first':
      return ['ack'];
    case 'retry-first':
      return ['retry'];
    case 'both':
      return ['ack', 'retry'];
    case 'dead-letter-first':
      return ['dead-letter'];
    case 'dead-letter-and-ack':
      return ['dead-letter', 'ack'];
    default:
      return [];
  }
}

function drawDuration(times: HandlerTimes, nth: number, body: unknown, random: () => number): number {
  switch (times.shape) {
    case 'constant':
      return times.ms;
    case 'bimodal':
      return random() < 1 / times.oneIn ? times.slowMs : times.ms;
    case 'one key':
      return numberOf(body) % times.oneIn === 0 ? times.slowMs : times.ms;
    case 'heavy-tail':
      return Math.round(times.ms * Math.min(40, (1 - random()) ** (-1 / 1.5)));
    case 'jump':
      return nth < times.until ? times.ms : times.laterMs;
  }
}
