import type { BreakerBounds } from '../lease/breaker.ts';
import type { BatchRate, StartRate } from '../lease/rate-limit.ts';
import type { ConsumerEvent, InvalidMessage } from './events.ts';
import type { BreakerOptions } from './handing-out/breaker-options.ts';
import type { InvalidAction } from './intake/invalid-action.ts';
import type { Order } from './intake/message-key.ts';

export type { BreakerOptions } from './handing-out/breaker-options.ts';
export type { InvalidAction } from './intake/invalid-action.ts';

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
   * @see https://developers.cloudflare.com/queues/platform/limits/
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
   * The most messages started in any stretch of time: at most `limit` in `perMs` milliseconds, both whole numbers of 1 or
   * more, wherever the stretch begins. For work that asks a service with a quota. No more are pulled than may be started in
   * time. Starts are spread evenly; a tenth of `limit` may come at once after a pause. Each message of a batch counts, and
   * a batch waits until all of it may start. Each consumer has a rate of its own. Not where messages are settled by hand,
   * with `settle: 'manual'` or read as an observable or a stream: there nobody can see when the work starts.
   *
   * @defaultValue as many as the handlers take
   */
  readonly rate?: StartRate;
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
   * @see https://developers.cloudflare.com/queues/platform/limits/
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
   * @see https://developers.cloudflare.com/queues/platform/limits/
   */
  readonly maxRetries?: number;
  /**
   * How long handlers, and what else works on messages, may go on once `signal` aborts or `close()` is called without a
   * grace of its own, in milliseconds, 0 or more. Then their signals abort, a second later they are abandoned, and settlements
   * are waited for two seconds more: set it five seconds below what the process is given before it is killed.
   *
   * What is not finished then is given back, to be delivered at once: by a handler that fails, with no delay, and by one that
   * goes on, while it does. A message on its last attempt is not, which nobody would get again, nor one that is being moved
   * to another queue: those come again, or are gone, when their leases end. A reader that goes away by itself, that breaks off,
   * unsubscribes or destroys its stream, is given no grace by this, and what it has in hand is left to it.
   *
   * @defaultValue until their leases end
   */
  readonly graceMs?: number;
  /**
   * Hands messages out in the order of the queue, by their timestamps, then as they came, and one after the other: batches,
   * where it is batches, the next when the one before is done; what is settled by hand, one message at a time. Later messages
   * wait for an earlier one that is retried until it comes again and succeeds, is moved, or has used up its attempts; but not
   * for longer than five seconds, or four round trips, after its delay, nor where the delay is above five minutes; while nothing
   * is pulled, as it is paused or a breaker is open, they wait on. One that is on its last attempt waits for no other's retry.
   * One pull is under way at a time. What other consumers of the queue take is in no order with what this one does.
   *
   * @defaultValue false: messages are handed out about in the order of the queue
   */
  readonly ordered?: boolean;
  /**
   * Stops while all work fails, so that an outage of what it needs does not use up the attempts of every message: what is not
   * started is given back, and one message is tried at growing intervals. The first success lets more through, ten let all.
   * {@link BreakerOptions} says what counts; `false` never stops.
   *
   * @defaultValue `{ failures: 100, maxProbeMs: 30_000 }`
   */
  readonly breaker?: false | BreakerOptions;
  /**
   * Whether a message that may have ended the process which had it before is handed out alone: so that it takes no other to
   * the dead letter queue. That is one on its last two attempts by `maxRetries`, the first never, that no handler of the same
   * queue handle has survived. It waits for what is in hand, and all else for it, each for half a lease at most; together no
   * more than two leases at a stretch and a tenth of the time. For four leases after its start the consumer asks a queue that
   * was empty for a while for one message, or batch, at first. Off where `minInFlight` is more than 1, and
   * where an order is kept.
   *
   * @defaultValue true
   */
  readonly isolateSuspects?: boolean;
  /** Closes the consumer when it aborts, as `close()` does: the loop ends normally. @defaultValue none */
  readonly signal?: AbortSignal;
  /**
   * Closes the consumer when the queue has nothing to give: for cron jobs and tests. `true` when one pull, made while
   * nothing was in hand, brought nothing; `{ forMs }` when all pulls brought nothing for so many milliseconds. What this
   * consumer let lapse, or may have been given in an answer that was lost, has come again by then or is gone: it waits for
   * that up to the rest of the lease. While all work fails, what the breaker has kept or given back counts as not handled: the
   * consumer goes on until it is, for hours if need be, unless `signal` ends it. Messages that are delayed, also by its own retries, or leased elsewhere can't be
   * seen. Where messages are settled by hand, what has been in hand for half of its lease does not count, nor does what came
   * before it: it may be gathered until the end is told.
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
  /**
   * Is told what the consumer met while it went on. What it throws changes nothing, and is kept as `stats.lastError`. Without
   * it, a warning on the console says once for a queue handle that the first pulls are in vain, after five to thirteen seconds.
   *
   * @defaultValue none
   */
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
  readonly rate: BatchRate | undefined;
  readonly maxBuffered: number;
  readonly maxBufferedBytes: number;
  readonly maxPulls: number;
  readonly batchSize: number;
  readonly settle: 'auto' | 'manual';
  readonly maxRetries: number;
  readonly graceMs: number | undefined;
  /** `undefined` for none. */
  readonly breaker: BreakerBounds | undefined;
  readonly isolateSuspects: boolean;
  readonly signal: AbortSignal | undefined;
  /** For how long pulls must have brought nothing; `undefined` never stops. */
  readonly emptyForMs: number | undefined;
  readonly order: Order | undefined;
  readonly onInvalid: NonNullable<ConsumeOptions['onInvalid']>;
  readonly onEvent: ((event: ConsumerEvent) => void) | undefined;
  readonly maxIdleMs: number;
}
