import {
  checkFunction,
  checkInteger,
  checkNumber,
  checkOneOf,
  checkOptions,
  checkSignal,
  rule,
} from '../contract/check-options.ts';
import { limits } from '../contract/limits.ts';
import type { ConsumerEvent, InvalidMessage } from './events.ts';

/** What becomes of a message whose body could not be decoded or did not fit the schema. */
export type InvalidAction = 'retry' | 'ack' | 'throw';

/** How a consumer leases, hands out and settles. */
export interface ConsumeOptions {
  /**
   * How long a message is leased, in milliseconds, a whole number from 100 to 43 200 000 (12 h). Sent with every pull,
   * so that the deadline is always known.
   *
   * @defaultValue 30 000
   * @see https://developers.cloudflare.com/queues/configuration/pull-consumers/
   */
  readonly visibilityTimeoutMs?: number;
  /**
   * How long messages are leased at most, in milliseconds, a whole number from `visibilityTimeoutMs` to 43 200 000 (12 h).
   * Where the consumer sees that work takes longer than leases last, the next pulls lease for longer, about twice as long
   * as the work: a lease can't be extended, and each time that a message comes again while it is worked on uses up one of
   * its attempts. After a crash, messages come again when these longer leases end. `visibilityTimeoutMs` turns it off.
   *
   * @defaultValue 3 600 000, or `visibilityTimeoutMs` if that is more
   */
  readonly maxVisibilityTimeoutMs?: number;
  /**
   * The most messages handed out and unsettled, 1 or more.
   *
   * @defaultValue 200
   */
  readonly maxInFlight?: number;
  /**
   * How many messages may be handed out before any is settled, 1 to `maxInFlight`, where the consumer can't see who works on
   * them: with `settle: 'manual'`, and read as an observable or a stream. More follow when those are settled in good time.
   * What gathers n messages before it settles any, `bufferCount(n)` or a `forward()` of n, needs n here.
   *
   * @defaultValue 1
   */
  readonly minInFlight?: number;
  /**
   * The most messages leased and not handed out, 1 or more. Usually far fewer are: as many as the handlers can start in
   * time.
   *
   * @defaultValue 1 000
   */
  readonly maxBuffered?: number;
  /**
   * The most bytes of bodies leased and not handed out, 1 or more. Pulls under way may exceed it.
   *
   * @defaultValue 16 000 000
   */
  readonly maxBufferedBytes?: number;
  /**
   * The most pulls under way at once, 1 or more; twice as many when a round trip takes longer than 50 ms.
   *
   * @defaultValue 4
   */
  readonly maxPulls?: number;
  /**
   * The most messages a pull asks for and a settle call carries, 1 to 100.
   *
   * @defaultValue 100
   */
  readonly batchSize?: number;
  /**
   * - `auto`: a message is acknowledged when the loop asks for the next one, and retried when the loop is left
   * - `manual`: nothing is settled but by `ack()` and `retry()`. What buffers or looks ahead needs this. A loop that is left
   *   does not wait for what is in hand, which can be settled until its lease ends; `close()` and `await using` wait for it
   *
   * @defaultValue 'auto'
   */
  readonly settle?: 'auto' | 'manual';
  /**
   * What `max_retries` of the queue's consumer is set to, 0 to 100. A message on its last attempt is handed out first
   * and is never given back unstarted, because the service would then delete it or move it to the dead letter queue.
   *
   * @defaultValue 3
   */
  readonly maxRetries?: number;
  /**
   * Whether a message that may have ended the process which had it before is handed out alone: so that it takes no other to
   * the dead letter queue. That is one on its last two attempts by `maxRetries`, the first never, that no handler of the same
   * queue handle has survived. It waits for what is in hand, and all else for it, each for half a lease at most; together no
   * more than two leases at a stretch and a tenth of the time. For four leases after its start the consumer asks a queue that
   * was empty for a while for one message, or batch, at first. Off where `minInFlight` is more than 1.
   *
   * @defaultValue true
   */
  readonly isolateSuspects?: boolean;
  /** Closes the consumer when it aborts, as `close()` does: the loop ends normally. */
  readonly signal?: AbortSignal;
  /**
   * Closes the consumer when the queue has nothing to give: for cron jobs and tests. `true` when one pull, made while
   * nothing was in hand, brought nothing; `{ forMs }` when all pulls brought nothing for so many milliseconds. What this
   * consumer let lapse, or may have been given in an answer that was lost, has come again by then or is gone: it waits for
   * that up to the rest of the lease. Messages that are delayed, also by its own retries, or leased elsewhere can't be
   * seen. Where messages are settled by hand, what has been in hand for half of its lease does not count: it may be
   * gathered until the end is told.
   *
   * @defaultValue false
   */
  readonly stopWhenEmpty?: boolean | { readonly forMs: number };
  /**
   * What to do with a message whose body could not be decoded or did not fit the schema. `throw` retries it and ends the
   * loop with the error. A function decides for each, and may return a promise; when it fails, or gives none of these, the
   * message is retried, and the event `callbackFailed` says why.
   *
   * @defaultValue 'retry'
   */
  readonly onInvalid?:
    | InvalidAction
    | ((message: InvalidMessage, error: unknown) => InvalidAction | Promise<InvalidAction>);
  /** Is told what the consumer met while it went on. What it throws changes nothing, and is kept as `stats.lastError`. */
  readonly onEvent?: (event: ConsumerEvent) => void;
  /**
   * The longest wait between two pulls of an idle queue, in milliseconds, 250 or more. Every empty pull is billed.
   *
   * @defaultValue 10 000
   */
  readonly maxIdleMs?: number;
}

/** {@link ConsumeOptions} with every default filled in. */
export interface ResolvedConsumeOptions {
  readonly visibilityTimeoutMs: number;
  readonly maxVisibilityTimeoutMs: number;
  readonly maxInFlight: number;
  readonly minInFlight: number;
  readonly maxBuffered: number;
  readonly maxBufferedBytes: number;
  readonly maxPulls: number;
  readonly batchSize: number;
  readonly settle: 'auto' | 'manual';
  readonly maxRetries: number;
  readonly isolateSuspects: boolean;
  readonly signal: AbortSignal | undefined;
  /** For how long pulls must have brought nothing; `undefined` never stops. */
  readonly emptyForMs: number | undefined;
  readonly onInvalid: NonNullable<ConsumeOptions['onInvalid']>;
  readonly onEvent: ((event: ConsumerEvent) => void) | undefined;
  readonly maxIdleMs: number;
}

const defaults = {
  visibilityTimeoutMs: 30_000,
  maxInFlight: 200,
  minInFlight: 1,
  maxBuffered: 1_000,
  maxBufferedBytes: 16_000_000,
  maxPulls: 4,
  batchSize: limits.batchMessages,
  settle: 'auto',
  maxRetries: 3,
  isolateSuspects: true,
  stopWhenEmpty: false,
  onInvalid: 'retry',
  maxIdleMs: 10_000,
} as const satisfies ConsumeOptions;

/** Throws a `TypeError` unless it is something to do with an invalid message. */
export function checkInvalidAction(name: string, action: unknown): void {
  checkOneOf('consume', name, action, ['retry', 'ack', 'throw'] satisfies InvalidAction[]);
}

/** How long a lease may grow to unless told otherwise: most work is shorter, and a crash hides its messages for no longer. */
const usualMaxVisibilityTimeoutMs = 3_600_000;

/** Below this a lease is over before its message can be worked on. */
const shortestLeaseMs = 100;

/**
 * Checks the options and fills in the defaults.
 *
 * @param settle - in place of what the options say, where that is not for the caller to choose
 * @throws TypeError or RangeError that names the option, what it must be, and its value
 */
export function resolveConsumeOptions(
  options: ConsumeOptions = {},
  settle?: 'auto' | 'manual',
): ResolvedConsumeOptions {
  checkOptions('consume', options);
  const merged = { ...defaults, ...withoutUndefined(options), ...(settle && { settle }) };
  const check = (name: keyof ConsumeOptions, min: number, max: number): void =>
    checkInteger('consume', name, merged[name], [min, max]);
  check('visibilityTimeoutMs', shortestLeaseMs, limits.visibilityTimeoutMs);
  const { maxVisibilityTimeoutMs = Math.max(merged.visibilityTimeoutMs, usualMaxVisibilityTimeoutMs) } = merged;
  checkInteger('consume', 'maxVisibilityTimeoutMs', maxVisibilityTimeoutMs, [
    merged.visibilityTimeoutMs,
    limits.visibilityTimeoutMs,
  ]);
  check('maxInFlight', 1, Infinity);
  check('minInFlight', 1, Infinity);
  if (merged.minInFlight > merged.maxInFlight) {
    throw new RangeError(
      rule('consume', 'minInFlight', `at most 'maxInFlight', ${merged.maxInFlight}`, merged.minInFlight),
    );
  }
  check('maxBuffered', 1, Infinity);
  check('maxBufferedBytes', 1, Infinity);
  check('maxPulls', 1, Infinity);
  check('batchSize', 1, limits.batchMessages);
  check('maxRetries', 0, limits.retries);
  checkNumber('consume', 'maxIdleMs', merged.maxIdleMs, [250, Infinity]);
  checkOneOf('consume', 'settle', merged.settle, ['auto', 'manual']);
  checkOneOf('consume', 'isolateSuspects', merged.isolateSuspects, [true, false]);
  if (typeof merged.onInvalid !== 'function') checkInvalidAction('onInvalid', merged.onInvalid);
  if (merged.onEvent !== undefined) checkFunction('consume', 'onEvent', merged.onEvent);
  checkSignal('consume', merged.signal);
  const { stopWhenEmpty, ...rest } = merged;
  return {
    signal: undefined,
    onEvent: undefined,
    ...rest,
    // What gathers messages before it settles any would wait for others in vain.
    isolateSuspects: merged.isolateSuspects && merged.minInFlight === 1,
    maxVisibilityTimeoutMs,
    emptyForMs: emptyForMs(stopWhenEmpty),
  };
}

function emptyForMs(stopWhenEmpty: unknown): number | undefined {
  if (stopWhenEmpty === false) return undefined;
  if (stopWhenEmpty === true) return 0;
  if (typeof stopWhenEmpty !== 'object' || stopWhenEmpty === null || !('forMs' in stopWhenEmpty)) {
    throw new TypeError(rule('consume', 'stopWhenEmpty', 'a boolean or { forMs }', stopWhenEmpty));
  }
  const { forMs } = stopWhenEmpty;
  checkNumber('consume', 'stopWhenEmpty.forMs', forMs, [0, Infinity]);
  return forMs as number;
}

/** An option given as `undefined`, by a caller without exact optional properties, is one not given. */
function withoutUndefined<Options extends object>(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Options;
}
