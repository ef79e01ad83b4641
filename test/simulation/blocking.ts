/** Which handlers of a client keep the event loop instead of waiting, and for which part of their work. */
export interface HandlerBlocking {
  /** One handler in so many, at random; 1 for all. */
  readonly oneIn: number;
  /** Half of the work may wait for something: after what computes, or before it. */
  readonly part: 'all' | 'first half' | 'last half';
  /** Only handlers from this number on. @defaultValue 0 */
  readonly from?: number;
  /** Only handlers before this number. @defaultValue all */
  readonly until?: number;
}

/** The callbacks of a user that may keep the event loop, and for how long each time, in milliseconds. */
export interface CallbackBlocking {
  readonly onEvent?: number | undefined;
  /** The schema's, for each body. */
  readonly validate?: number | undefined;
  /** Where `onInvalid` is a function. */
  readonly onInvalid?: number | undefined;
  /** Where messages are forwarded. */
  readonly onRejected?: number | undefined;
}

/** A time in which code kept the event loop: no timer fired, no answer came, nobody could do anything. */
export interface Block {
  readonly at: number;
  readonly ms: number;
}

/** How a handler's work is done: it computes, waits and computes again, in milliseconds. */
export interface Work {
  readonly firstMs: number;
  readonly waitMs: number;
  readonly lastMs: number;
}

/** How a client's handler of this number works. */
export function planWork(
  durationMs: number,
  nth: number,
  blocking: HandlerBlocking | undefined,
  random: () => number,
): Work {
  const waiting = { firstMs: 0, waitMs: durationMs, lastMs: 0 };
  if (blocking === undefined) return waiting;
  const { oneIn, part, from = 0, until = Infinity } = blocking;
  const isChosen = random() < 1 / oneIn;
  if (!isChosen || nth < from || nth >= until) return waiting;
  const halfMs = durationMs / 2;
  switch (part) {
    case 'all':
      return { firstMs: durationMs, waitMs: 0, lastMs: 0 };
    case 'first half':
      return { firstMs: halfMs, waitMs: halfMs, lastMs: 0 };
    case 'last half':
      return { firstMs: 0, waitMs: halfMs, lastMs: halfMs };
  }
}
