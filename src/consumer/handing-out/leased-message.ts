import type { ContentType } from '../../contract/message.ts';
import type { MovableMessage } from '../../contract/raw-body.ts';
import type { Settlement } from '../../contract/settlement.ts';
import type { Lease } from '../../lease/lease.ts';

/** How a message is retried. */
export interface RetryOptions {
  /**
   * How long until the message is delivered again, in seconds, a whole number from 0 to 86 400.
   *
   * @defaultValue the queue's own `retry_delay`
   * @see https://developers.cloudflare.com/queues/platform/limits/
   */
  readonly delaySeconds?: number;
}

/** Where a message is moved to: a queue handle. Anything else is given an `EncodedBody`, whose `text` is what came. */
export interface DeadLetterQueue {
  /** Pushes a body; fulfils once that is confirmed. */
  send(body: unknown): Promise<void>;
}

/** How a message is moved away. */
export interface DeadLetterOptions {
  /**
   * Why; goes to `onEvent`, because the service has no place for it beside the body.
   *
   * @defaultValue none
   */
  readonly reason?: unknown;
}

/** A message of the queue, leased to this consumer until `leaseExpiresAt`. */
export interface LeasedMessage<Body = unknown> {
  /** The same on every delivery. */
  readonly id: string;
  /** The body: decoded, and as the schema or `decode` gives it. */
  readonly body: Body;
  /** How often the message was delivered, this time included: 1 or more. */
  readonly attempts: number;
  /** When the message was pushed. */
  readonly timestamp: Date;
  /** How the service encoded the body. */
  readonly contentType: ContentType;
  /**
   * The body as it was pushed: the text of `text` and `json`, to the last digit; the bytes of `bytes` and `v8`; the text that
   * came where it is not of its content type.
   */
  readonly raw: string | Uint8Array;
  /** What the service says of the message beside its body: names and texts, such as `CF-Content-Type`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Names this delivery. Changes when the message is delivered again while its handler runs. */
  readonly leaseId: string;
  /**
   * When the lease ends, in milliseconds since the epoch. Never later than the service's own deadline. May move: later
   * when the message is delivered again while its handler runs, either way when the wall clock is set.
   */
  readonly leaseExpiresAt: number;
  /** How long the lease lasts from now, in milliseconds; negative when it is over. */
  readonly leaseRemainingMs: number;
  /**
   * Aborts when the lease ends or when `close()` runs out of grace, and never after the message was settled. Made when
   * it is first asked for.
   */
  readonly signal: AbortSignal;
  /**
   * Tells the service that the message is done. The first call of `ack()` or `retry()` decides; later ones give back
   * the same settlement. Also sent after the lease ended, because the service takes it.
   *
   * @returns what became of it; never rejects
   */
  ack(): Promise<Settlement>;
  /**
   * Has the message delivered again. After the lease ended this is not sent, because another consumer may hold the
   * message: the outcome is then `lost`.
   *
   * @returns what became of it; never rejects
   * @throws RangeError or TypeError at once, when `delaySeconds` is not a whole number in 0..86 400; the message stays
   * unsettled
   */
  retry(options?: RetryOptions): Promise<Settlement>;
  /**
   * Pushes what came, `raw`, to another queue and acknowledges it here once the push is confirmed. Meanwhile no other
   * settlement has effect. When the push fails, the message is retried after the growing delay, and the outcome is `lost`
   * with the error of the push.
   *
   * It goes as it came, to the last digit, whatever a schema or `decode` made of it. HTTP can't carry `bytes`, `v8` and what
   * is not of its content type: such a push fails with an error that names the message.
   *
   * @returns what became of it; never rejects
   */
  deadLetter(queue: DeadLetterQueue, options?: DeadLetterOptions): Promise<Settlement>;
}

/**
 * Gives the delay of a failed message, in seconds; `undefined` for the growing one.
 *
 * @param onFailure - is told of a failure of its own
 */
export type DelayJudge = (onFailure: (failure: unknown) => void) => number | undefined;

/** What a message asks of its consumer. */
export interface MessageKeeper {
  expiresAt(lease: Lease): number;
  remainingMs(lease: Lease): number;
  signalOf(lease: Lease): AbortSignal;
  ack(lease: Lease): Promise<Settlement>;
  /** The same, where nobody asks what became of it. */
  succeed(lease: Lease): void;
  retry(lease: Lease, options: RetryOptions | undefined): Promise<Settlement>;
  deadLetter(
    lease: Lease,
    message: MovableMessage,
    queue: DeadLetterQueue,
    options: DeadLetterOptions | undefined,
  ): Promise<Settlement>;
  /**
   * The work on a message failed: reports that and retries it, with the growing delay unless one is judged.
   *
   * @param share - of a failure, for those that failed together
   */
  fail(lease: Lease, error: unknown, judge: DelayJudge | undefined, share?: number): Promise<Settlement>;
}
