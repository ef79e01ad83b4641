import type { ContentType } from '../../contract/message.ts';
import { rawOf } from '../../contract/raw-body.ts';
import type { Settlement } from '../../contract/settlement.ts';
import type { HeldMessage, Lease } from '../../lease/lease.ts';
import { printAs, printMessage } from './inspect.ts';
import type {
  DeadLetterOptions,
  DeadLetterQueue,
  DelayJudge,
  LeasedMessage,
  MessageKeeper,
  RetryOptions,
} from './leased-message.ts';

/** The one implementation of {@link LeasedMessage}: a view of a lease. */
export class DeliveredMessage<Body> implements LeasedMessage<Body> {
  readonly id: string;
  readonly body: Body;
  readonly #lease: Lease;
  readonly #message: HeldMessage;
  readonly #keeper: MessageKeeper;
  #timestamp: Date | undefined;
  #signal: AbortSignal | undefined;

  constructor(lease: Lease, keeper: MessageKeeper) {
    const message = lease.handOver();
    this.id = message.id;
    // The schema, or else the caller's type argument, vouches for it.
    this.body = message.body as Body;
    this.#lease = lease;
    this.#message = message;
    this.#keeper = keeper;
  }

  get attempts(): number {
    return this.#lease.attempts;
  }

  get timestamp(): Date {
    this.#timestamp ??= new Date(this.#message.timestampMs);
    return this.#timestamp;
  }

  get contentType(): ContentType {
    return this.#message.contentType;
  }

  get raw(): string | Uint8Array {
    return rawOf(this.#message);
  }

  get metadata(): Readonly<Record<string, string>> {
    return this.#message.metadata;
  }

  get leaseId(): string {
    return this.#lease.leaseId;
  }

  get leaseExpiresAt(): number {
    return this.#keeper.expiresAt(this.#lease);
  }

  get leaseRemainingMs(): number {
    return this.#keeper.remainingMs(this.#lease);
  }

  get signal(): AbortSignal {
    this.#signal ??= this.#keeper.signalOf(this.#lease);
    return this.#signal;
  }

  ack(): Promise<Settlement> {
    return this.#keeper.ack(this.#lease);
  }

  retry(options?: RetryOptions): Promise<Settlement> {
    return this.#keeper.retry(this.#lease, options);
  }

  deadLetter(queue: DeadLetterQueue, options?: DeadLetterOptions): Promise<Settlement> {
    return this.#keeper.deadLetter(this.#lease, this, queue, options);
  }

  static {
    printAs<LeasedMessage>(this.prototype, printMessage);
  }

  /** Notes whether a sink is to settle a message: its consumer leaves it alone so long. */
  static setForwarded(message: object, isForwarded: boolean): void {
    if (#lease in message) message.#lease.isForwarded = isForwarded;
  }

  /** The decoded body as it came. */
  static receivedBodyOf(message: object): unknown {
    if (!(#message in message)) return undefined;
    const { body, rawBody } = message.#message;
    return rawBody === undefined ? body : rawBody;
  }

  /** Does work on a message, in the context of its observers. */
  static run<Message extends object, Result>(message: Message, work: (message: Message) => Result): Result {
    const observed = #lease in message ? message.#lease.observed : undefined;
    return observed === undefined ? work(message) : observed.run(() => work(message));
  }

  /** The work on a message is done: it is acknowledged, unless it was settled before. */
  static succeed(message: LeasedMessage): void {
    if (#lease in message) message.#keeper.succeed(message.#lease);
    else void message.ack();
  }

  /** The work on a message failed: its consumer reports that and retries it, unless it was settled before. */
  static fail(message: LeasedMessage, error: unknown, judge?: DelayJudge): Promise<Settlement> {
    if (#lease in message) return message.#keeper.fail(message.#lease, error, judge);
    // Of another copy of the package, or made by hand: its consumer is out of reach.
    const delaySeconds = judge?.(() => undefined);
    return message.retry(delaySeconds === undefined ? {} : { delaySeconds });
  }
}
