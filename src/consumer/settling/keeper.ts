import { checkNames } from '../../contract/check-names.ts';
import { checkInteger, rule } from '../../contract/check-options.ts';
import { QueueError } from '../../contract/errors.ts';
import { limits } from '../../contract/limits.ts';
import { encodeRaw, type MovableMessage } from '../../contract/raw-body.ts';
import type { Settlement } from '../../contract/settlement.ts';
import type { Holdings } from '../../lease/holdings.ts';
import type { Lease } from '../../lease/lease.ts';
import { endWork } from '../../lease/observed-work.ts';
import type { Breaking } from '../handing-out/breaking.ts';
import { type ConsumerEvent, identityOf } from '../events.ts';
import type {
  DeadLetterOptions,
  DeadLetterQueue,
  DelayJudge,
  MessageKeeper,
  RetryOptions,
} from '../handing-out/leased-message.ts';
import type { StatsCounter } from '../stats.ts';
import type { SteadyTime } from '../steady-time.ts';
import type { LeaseSignals } from './lease-signals.ts';
import { outcomeOf } from './outcomes.ts';
import { isDecided, type Settlements } from './settlements.ts';

export interface KeeperDeps {
  readonly time: SteadyTime;
  readonly stats: StatsCounter;
  readonly holdings: Holdings;
  readonly settlements: Settlements;
  readonly signals: LeaseSignals;
  readonly breaking: Breaking;
  readonly report: (event: ConsumerEvent) => void;
  /** Whether the consumer is closed, and nothing can be sent any more. */
  readonly isClosed: () => boolean;
  /** Asks for a turn. */
  readonly wake: () => void;
}

/** What messages that were handed out ask for: to be settled by hand, or because their work failed, and how their leases stand. */
export class Keeper implements MessageKeeper {
  readonly #deps: KeeperDeps;

  constructor(deps: KeeperDeps) {
    this.#deps = deps;
  }

  fail(lease: Lease, error: unknown, judge: DelayJudge | undefined, share = 1): Promise<Settlement> {
    const { breaking, report, settlements, signals, stats, time, wake } = this.#deps;
    const message = identityOf(lease);
    lease.observed?.fail(error);
    report({ type: 'handlerFailed', message, error });
    const onFailure = (failure: unknown): void =>
      report({ type: 'callbackFailed', callback: 'retryDelaySeconds', message, error: failure });
    const now = time.now();
    if (lease.settledAs !== 'ack') breaking.fail(lease, now, error, share);
    if (!isDecided(lease)) {
      const delaySeconds = settlements.givesBack ? 0 : judge?.(onFailure);
      // Who judges no delay is a sink, which waits for the settlement.
      if (judge === undefined || settlements.givesBack || isDecided(lease) || !breaking.keep(lease))
        settlements.complete(lease, 'retry', now, delaySeconds);
      else {
        // For when it is given back.
        lease.delaySeconds = delaySeconds;
        stats.inFlight -= 1;
        endWork(lease);
        // Whoever has it next has a signal of its own.
        signals.forget(lease);
        // When to probe next is another time now.
        wake();
      }
    }
    return outcomeOf(lease);
  }

  ack(lease: Lease): Promise<Settlement> {
    this.succeed(lease);
    return outcomeOf(lease);
  }

  succeed(lease: Lease): void {
    const { settlements, time } = this.#deps;
    this.#takeKept(lease);
    if (!isDecided(lease)) settlements.acknowledge(lease, time.now());
  }

  retry(lease: Lease, options: RetryOptions = {}): Promise<Settlement> {
    checkNames('retry', options, { allowed: ['delaySeconds'] });
    const { breaking, settlements, time } = this.#deps;
    const { delaySeconds } = options;
    if (delaySeconds !== undefined) checkInteger('retry', 'delaySeconds', delaySeconds, [0, limits.delaySeconds]);
    this.#takeKept(lease);
    if (!isDecided(lease)) breaking.fail(lease, time.now());
    settlements.settle(lease, 'retry', delaySeconds);
    return outcomeOf(lease);
  }

  /** Who still has a message that is kept to be tried again may settle it by hand. */
  #takeKept(lease: Lease): void {
    if (lease.phase !== 'deferred' && lease.phase !== 'buffered') return;
    this.#deps.holdings.takeKept(lease);
    this.#deps.stats.inFlight += 1;
  }

  deadLetter(
    lease: Lease,
    message: MovableMessage,
    queue: DeadLetterQueue,
    options: DeadLetterOptions = {},
  ): Promise<Settlement> {
    if (typeof (queue as Partial<DeadLetterQueue> | undefined)?.send !== 'function')
      throw new TypeError(rule('dead-letter a message', 'queue', 'a queue of openQueue()', queue));
    checkNames('dead-letter a message', options, { allowed: ['reason'] });
    return this.#deadLetter(lease, message, queue, options);
  }

  async #deadLetter(
    lease: Lease,
    message: MovableMessage,
    queue: DeadLetterQueue,
    options: DeadLetterOptions,
  ): Promise<Settlement> {
    const { isClosed, report, settlements } = this.#deps;
    if (isDecided(lease)) return outcomeOf(lease);
    // Too late to acknowledge it here, so that a push would make two messages of it.
    if (isClosed()) return this.retry(lease);
    this.#takeKept(lease);
    settlements.claim(lease);
    const failure = await pushTo(queue, message);
    settlements.unclaim(lease);
    if (failure === undefined) {
      report({ type: 'deadLettered', message: identityOf(lease), reason: options.reason });
      // It tells nothing of what the work needs.
      settlements.settle(lease, 'ack', undefined);
      return outcomeOf(lease);
    }
    report({ type: 'deadLetterFailed', message: identityOf(lease), error: failure });
    // By hand, so that no sink is waited for: it may wait for this itself, in its `onRejected`.
    settlements.settle(lease, 'retry', settlements.growingDelay(lease));
    await outcomeOf(lease);
    return { outcome: 'lost', error: failure };
  }

  expiresAt(lease: Lease): number {
    return this.#deps.time.toWall(lease.deadline);
  }

  remainingMs(lease: Lease): number {
    return lease.deadline - this.#deps.time.now();
  }

  signalOf(lease: Lease): AbortSignal {
    return this.#deps.signals.of(lease);
  }
}

/** Why a message could not be pushed to another queue; `undefined` when it was. */
async function pushTo(queue: DeadLetterQueue, message: MovableMessage): Promise<QueueError | undefined> {
  try {
    await queue.send(encodeRaw(message));
    return undefined;
  } catch (cause) {
    const text = `Message ${message.id} could not be pushed to the dead letter queue`;
    return cause instanceof QueueError ? cause : new QueueError(text, { code: 'refused', cause });
  }
}
