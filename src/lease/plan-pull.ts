import type { Handlers } from './handlers.ts';
import { marginMs } from './margin.ts';
import type { SerialTime } from './serial-time.ts';

/** The share of a lease that buffered work may fill: the rest is for what the estimate did not foresee. */
export const leaseShare = 0.5;

/** The longest stretch of work one pull fetches, in milliseconds: nobody should hoard a shared queue. */
const longestAskMs = 250;

/** Above this round trip in milliseconds, twice as many pulls may be under way. */
const longRoundTripMs = 50;

/** What a consumer may hold, whatever its handlers could do. */
export interface PullBounds {
  readonly visibilityTimeoutMs: number;
  /** The most one pull asks for. */
  readonly batchSize: number;
  /** The most messages unstarted, those asked for included. */
  readonly maxBuffered: number;
  /** The most length of bodies unstarted, those asked for included. */
  readonly maxBufferedBytes: number;
  /** The most pulls under way with a short round trip. */
  readonly maxPulls: number;
  /** `undefined` where none is kept. */
  readonly order: KeptOrder | undefined;
}

/** An order in which messages are started, which has some wait for others. */
export interface KeptOrder {
  /** `undefined` where there is one order for all: then nothing waits for another that could be handed out. */
  readonly key: unknown;
  /** How many may wait for others, for the sake of those behind them that need not. */
  lookAhead: number;
}

/** What a consumer holds now. */
export interface PullState {
  /** Those that can't be started yet apart: no idle handler is fed by them. */
  readonly unstarted: number;
  /** Those that wait for another message, where an order is kept. */
  readonly blocked: number;
  /** How many of one key there are at most, where an order is kept: those at work and those expected again included. */
  readonly longest: () => number;
  /** How many were given back because too many of their key were there, less what was made good. */
  readonly overtaken: number;
  /** 1 when a message that others wait for is due, and no pull was sent since; else 0. */
  readonly due: 0 | 1;
  /** One is due and has not come, and it may be behind others in the queue. */
  readonly isSeeking: boolean;
  readonly unstartedLength: number;
  /** Asked for by pulls under way. */
  readonly asked: number;
  readonly pullsUnderWay: number;
  /** The last answer brought as many messages as were asked for. */
  readonly lastWasFull: boolean;
  readonly roundTripMs: number;
  /** The running mean of the length of a body; 0 before the first. */
  readonly meanLength: number;
  /** For how long each message keeps the event loop from starting the next one. */
  readonly serial: Pick<SerialTime, 'handed' | 'meanMs' | 'stallMs' | 'startableWithin'>;
}

/** How much work may wait for its turn when it is leased for so long, in milliseconds. */
export function budgetMs(timeoutMs: number, roundTripMs: number): number {
  return leaseShare * (timeoutMs - marginMs(timeoutMs, roundTripMs));
}

/**
 * The most messages that may be unstarted and asked for now.
 *
 * One, or a batch, at first, and then four times as many as were handed out: nobody knows yet whether handlers wait, side by side, or
 * compute, one after the other, and what could not be started in time would have cost each message an attempt.
 */
export function unstartedBound(handlers: Handlers, bounds: PullBounds, state: PullState, now: number): number {
  const { serial } = state;
  const idle = handlers.idle(now);
  const leftMs = budgetMs(bounds.visibilityTimeoutMs, state.roundTripMs);
  const ceiling = Math.max(idle, handlers.startableWithin(leftMs, now));
  const start = Math.min(Math.max(idle, 4 * handlers.finished), Math.max(handlers.atOnce, 4 * serial.handed));
  return Math.min(ceiling, start, Math.max(1, serial.startableWithin(leftMs)), bounds.maxBuffered);
}

/**
 * How many messages to ask for now; 0 for not pulling.
 *
 * Asks when what is unstarted and asked for would not last two round trips from the next look on; then for a good deal at
 * once, because each request costs, but for no more than a short stretch of work, because others share the queue.
 */
export function planPull(handlers: Handlers, bounds: PullBounds, state: PullState, now: number): number {
  if (state.pullsUnderWay >= pullsAllowed(bounds, state)) return 0;
  const idle = handlers.idle(now);
  const unstarted = state.unstarted + state.asked;
  const room = Math.min(unstartedBound(handlers, bounds, state, now) - unstarted, roomByLength(bounds, state));
  if (room < 1) return 0;
  // No time is no message, also where handlers take no time.
  const startedWithin = (windowMs: number): number => windowMs / state.serial.meanMs;
  const consumedWithin = (windowMs: number): number =>
    Math.min(handlers.consumedWithin(windowMs, now), startedWithin(windowMs));
  const usualMs = stretchMs(bounds, state);
  // Where handlers keep the loop for most of their time, each call takes from it: it fetches for longer. And the next look
  // may be late, which counts where that is short: the more is asked for early, the more lies waiting.
  const isKept = startedWithin(usualMs) <= 1.5 * handlers.consumedWithin(usualMs, now);
  const windowMs = isKept ? Math.max(usualMs, Math.min(longestAskMs, 2 * usualMs)) : usualMs;
  const lateMs = isKept ? Math.min(state.serial.stallMs, bounds.visibilityTimeoutMs / 100) : 0;
  const { atOnce, batch } = handlers;
  // However many handlers are idle, the loop starts no more of them in that time; what comes next is there by then.
  const startable = inBatches(Math.min(idle, atOnce + Math.max(atOnce, startedWithin(windowMs))), batch);
  // Those that would have to wait for the loop are fed with what is next.
  const urgent = isKept ? inBatches(Math.min(idle, 2 * atOnce), batch) : startable;
  const unfed = Math.max(urgent - unstarted, state.isSeeking ? 1 : state.due);
  const soon = state.roundTripMs === 0 ? 0 : consumedWithin(2 * state.roundTripMs + lateMs);
  if (unfed < 1 && unstarted >= Math.max(1, soon)) return 0;
  const stretch = state.isSeeking ? Infinity : Math.floor(consumedWithin(windowMs));
  // What comes by one pull at a time has to last until the answer of the next is read.
  const least = isKept && bounds.order !== undefined ? startable : 1;
  const open = Math.max(unfed, startable - unstarted);
  const wanted = Math.max(least, open, stretch);
  // A nearly full buffer is not topped up message by message.
  if (room < Math.min(bounds.batchSize, wanted) && open < 1 && room < unstarted) return 0;
  const inTurn = roomInTurn(handlers, bounds, state, { stretch: wanted, idle });
  const ask = Math.max(0, Math.min(wanted, bounds.batchSize, room, inTurn));
  if (ask < wanted) return ask;
  // A batch that is begun waits to be filled: where a stretch is all that is asked for, it is one of whole batches.
  const whole = ask - ((unstarted + ask) % batch);
  return whole >= Math.max(1, unfed) ? whole : ask;
}

/** So many messages, as far as they are whole batches, or less than one. */
function inBatches(messages: number, batch: number): number {
  return messages < batch ? messages : batch * Math.floor(messages / batch);
}

/**
 * How many may be asked for where an order is kept, since they may have to wait for others: what one handler can start in
 * time, a short stretch of work at most unless one is sought; and as many as are let wait for the sake of those behind them.
 */
function roomInTurn(
  handlers: Handlers,
  bounds: PullBounds,
  state: PullState,
  { stretch, idle }: { readonly stretch: number; readonly idle: number },
): number {
  const { order, visibilityTimeoutMs } = bounds;
  if (order === undefined) return Infinity;
  const { finished, meanMs, estimateMs } = handlers;
  const leftMs = budgetMs(visibilityTimeoutMs, state.roundTripMs);
  // To find what is sought, which may be behind others, whatever can likely be started is let wait.
  const inTime = finished === 0 ? 1 : Math.floor(state.isSeeking ? (2 * leftMs) / meanMs : leftMs / estimateMs);
  const share = Math.max(1, Math.min(stretch, inTime, bounds.maxBuffered));
  // Where there is one order for all, nothing waits but for what comes again.
  if (order.key === undefined && state.blocked === 0) return Infinity;
  const most = share + order.lookAhead - state.blocked;
  if (state.overtaken <= order.lookAhead) return Math.max(state.due, most - state.asked);
  // All that comes may be of the key that has the most waiting, and what can't wait there loses an attempt: not too often.
  const fitting = finished === 0 ? idle - state.blocked : inTime - state.longest();
  const room = Math.min(most, Math.max(share - state.blocked, fitting));
  return Math.max(state.due, room - state.asked);
}

/** How much work one pull fetches, in milliseconds. */
export function stretchMs(
  { visibilityTimeoutMs }: Pick<PullBounds, 'visibilityTimeoutMs'>,
  { roundTripMs }: Pick<PullState, 'roundTripMs'>,
): number {
  return Math.max(Math.min(longestAskMs, visibilityTimeoutMs / 10), 2 * roundTripMs);
}

function pullsAllowed(bounds: PullBounds, state: PullState): number {
  // The answers of several might come in another order.
  if (bounds.order !== undefined) return 1;
  if (!state.lastWasFull) return 1;
  return state.roundTripMs > longRoundTripMs ? 2 * bounds.maxPulls : bounds.maxPulls;
}

function roomByLength(bounds: PullBounds, state: PullState): number {
  if (state.meanLength === 0) return Infinity;
  const left = bounds.maxBufferedBytes - state.unstartedLength - state.asked * state.meanLength;
  // A body may be larger than the bound: an empty buffer always takes one.
  const least = state.unstarted + state.asked === 0 ? 1 : 0;
  return Math.max(least, Math.floor(left / state.meanLength));
}
