/** The longest that a settlement waits for company, in milliseconds. */
const longestLingerMs = 5;

/** The longest that it does so where handlers keep the event loop, in milliseconds. */
const longestKeptMs = 100;

/** What waits to be sent. */
export interface Unsent {
  /** How many settlements, 1 or more. */
  readonly size: number;
  /** When the oldest of them was decided. */
  readonly oldestAt: number;
  /** When the first lease among them ends that has not ended yet; `Infinity` when none is left. */
  readonly earliestDeadline: number;
  /** The lease of one is over: its message may come again at any time. */
  readonly isLate: boolean;
  /** Somebody wants to know what becomes of one: its handler may do nothing before. */
  readonly isAwaited: boolean;
}

/** What is on its way, and what may follow. */
export interface FlushState {
  /** Settle calls under way. */
  readonly callsUnderWay: number;
  /** The most one call carries. */
  readonly batchSize: number;
  readonly roundTripMs: number;
  /**
   * Whether nothing that is at work or can be started is to be settled: no company will come soon. Looks at all that is at
   * work, and is seldom asked for.
   */
  readonly isWaiting: () => boolean;
  /** How long the event loop may be kept from the next look at this, in milliseconds. */
  readonly stallMs: number;
}

/** When to send what is pending: a time, `now` or before it for at once. */
export function planFlush(unsent: Unsent, state: FlushState, now: number): number {
  if (unsent.size >= state.batchSize) return now;
  const inTime = unsent.earliestDeadline - 2 * state.roundTripMs - longestLingerMs - state.stallMs;
  if (state.callsUnderWay > 0) return inTime;
  if (state.isWaiting()) return now;
  return Math.min(inTime, unsent.oldestAt + lingerMs(unsent, state, now));
}

/** Where handlers keep the loop, each call takes from their time: it waits for what they settle in a few turns. */
function lingerMs(unsent: Unsent, { stallMs, roundTripMs }: FlushState, now: number): number {
  if (stallMs <= longestLingerMs || unsent.isLate || unsent.isAwaited) return Math.min(roundTripMs, longestLingerMs);
  return Math.min(8 * stallMs, longestKeptMs, Math.max(0, unsent.earliestDeadline - now) / 5);
}
