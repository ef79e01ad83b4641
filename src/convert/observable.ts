import {
  defer,
  mergeMap,
  Observable,
  type ObservableInput,
  type Observer,
  type OperatorFunction,
  type Subscriber,
  type Subscription,
  type Unsubscribable,
} from 'rxjs';

import { DeliveredMessage } from '../consumer/handing-out/delivered-message.ts';
import type { LeasedMessage } from '../consumer/handing-out/leased-message.ts';
import { judgeDelay, type RetryDelay } from '../consumer/process-options.ts';
import { checkFunction } from '../contract/check-options.ts';
import { HomeContext } from '../contract/home-context.ts';
import { checkSource, type MessageSource, type SourceOptions } from './message-source.ts';
import { OutletObservable } from './observable-protocol.ts';
import { resolveSettleMapOptions, type SettleMapOptions } from './settle-map-options.ts';

export type { ConsumeOptions } from '../consumer/consume-options.ts';
export type { Consumer } from '../consumer/consumer.ts';
export type { LeasedMessage } from '../consumer/handing-out/leased-message.ts';
export type { RetryDelay } from '../consumer/process-options.ts';
export type { MessageSource, SourceOptions } from './message-source.ts';
export type { SettleMapOptions } from './settle-map-options.ts';

/**
 * Gives a queue's messages as an observable. Nothing is settled by itself: pass the messages through {@link settleMap},
 * or call `ack()` and `retry()`.
 *
 * - Cold: each subscription is a consumer of its own, and pulls from then on. `rxjs.from(queue)` is the same with default
 *   options.
 * - Paced by credit, since an observable can't be asked to wait: one message is out at first, and twice as many as often
 *   as all are settled within half their lease. A message that nobody settled stops counting when its lease ends.
 * - Unsubscribing stops pulling, gives back what is buffered, aborts the signals of messages that are out, and sends what
 *   is settled within a second. So `take(n)` belongs after `settleMap`, not before it.
 * - Completes with `signal` and `stopWhenEmpty`; errors with the `QueueError` that trying again can't help.
 *
 * @param source - a queue, or a consumer: it can then be closed, and completes, and can be subscribed to once
 * @param options - as for `queue.consume()`; none with a consumer
 * @throws TypeError or RangeError that names the option, what it must be, and its value
 * @example
 * ```ts
 * import { lastValueFrom } from 'rxjs';
 * import { openQueue } from 'leasestream';
 * import { settleMap, toObservable } from 'leasestream/rxjs';
 *
 * const queue = openQueue<{ id: string }>({ queueId: process.env.QUEUE_ID! });
 * const done = toObservable(queue, { stopWhenEmpty: true }).pipe(settleMap(async ({ body }) => body.id));
 * console.log('the last one was', await lastValueFrom(done));
 * ```
 */
export function toObservable<Body>(
  source: MessageSource<Body>,
  options?: SourceOptions,
): Observable<LeasedMessage<Body>> {
  const subscribable = new OutletObservable(checkSource('observe', source, options));
  return new Observable((subscriber) => subscribable.subscribe(subscriber));
}

/**
 * Works on messages, `concurrency` at once, and settles each: acknowledged when its inner observable completes, retried
 * when that errors. Neither ends the stream; results are passed on as they come.
 *
 * - What the work did by hand, `ack()`, `retry()` or `deadLetter()`, wins.
 * - A failure is reported to the consumer's `onEvent` as `handlerFailed`.
 * - Work is never begun on a message whose lease has ended while it waited for its turn: it comes again.
 * - Unsubscribing unsubscribes from the work and gives its messages back to be delivered at once. The message whose result
 *   caused that, with `take(n)` for one, is acknowledged if its work completes with that result, as a promise's does.
 *
 * @param project - the work: gives a promise, an observable or whatever else RxJS takes for one
 * @throws TypeError or RangeError that names the option, what it must be, and its value
 * @example
 * ```ts
 * import { from, take, toArray, lastValueFrom } from 'rxjs';
 * import { openQueue } from 'leasestream';
 * import { settleMap } from 'leasestream/rxjs';
 *
 * const queue = openQueue<{ amount: number }>({ queueId: process.env.QUEUE_ID! });
 * const amounts = from(queue).pipe(
 *   settleMap(async ({ body }) => body.amount, { concurrency: 4, retryDelaySeconds: 30 }),
 *   take(3),
 *   toArray(),
 * );
 * console.log(await lastValueFrom(amounts));
 * ```
 */
export function settleMap<Body, Result>(
  project: (message: LeasedMessage<Body>) => ObservableInput<Result>,
  options: SettleMapOptions<Body> = {},
): OperatorFunction<LeasedMessage<Body>, Result> {
  checkFunction('settle', 'project', project);
  const { concurrency, retryDelaySeconds } = resolveSettleMapOptions(options);
  return (source) =>
    new Observable((subscriber) => {
      const work = new Work(project, retryDelaySeconds);
      const received = work.receive(source).pipe(mergeMap((message) => work.start(message), concurrency));
      received.subscribe(subscriber);
      return () => work.leave();
    });
}

/** The messages of one subscription to `settleMap`. */
class Work<Body, Result> {
  readonly #project: (message: LeasedMessage<Body>) => ObservableInput<Result>;
  readonly #retryDelaySeconds: RetryDelay<Body> | undefined;
  /** Received, and waiting for their turn, which comes in this order. */
  #waiting: LeasedMessage<Body>[] = [];
  /** Comes just now: unless it has to wait, its work begins before the call that brings it returns. */
  #coming: LeasedMessage<Body> | undefined;
  readonly #home = new HomeContext();

  constructor(
    project: (message: LeasedMessage<Body>) => ObservableInput<Result>,
    retryDelaySeconds: RetryDelay<Body> | undefined,
  ) {
    this.#project = project;
    this.#retryDelaySeconds = retryDelaySeconds;
  }

  receive(source: Observable<LeasedMessage<Body>>): Observable<LeasedMessage<Body>> {
    return new Observable((subscriber) =>
      source.subscribe({
        next: (message) => {
          this.#waiting.push(message);
          this.#coming = message;
          subscriber.next(message);
          this.#coming = undefined;
        },
        error: (error) => subscriber.error(error),
        complete: () => subscriber.complete(),
      }),
    );
  }

  /**
   * Begins at once, unless the message had to wait: then it would be in the async context in which the work before has
   * ended. What a test made up begins at once all the same, since its time may be virtual.
   */
  start(message: LeasedMessage<Body>): Observable<Result> {
    const begun = this.#begin(message);
    if (this.#coming === message || !(message instanceof DeliveredMessage)) return begun;
    return new Observable((subscriber) =>
      this.#home.run(() => {
        if (!subscriber.closed) begun.subscribe(subscriber);
      }),
    );
  }

  #begin(message: LeasedMessage<Body>): Observable<Result> {
    return new Observable((subscriber) => {
      this.#takeOut(message);
      if (message.leaseRemainingMs <= 0) {
        subscriber.complete();
        return undefined;
      }
      const running = new RunningWork(message, subscriber, this.#retryDelaySeconds);
      running.inner = DeliveredMessage.run(message, () => defer(() => this.#project(message)).subscribe(running));
      return running;
    });
  }

  #takeOut(message: LeasedMessage<Body>): void {
    const place = this.#waiting.indexOf(message);
    if (place === 0) this.#waiting.shift();
    else if (place > 0) this.#waiting.splice(place, 1);
  }

  leave(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const message of waiting) void message.retry({ delaySeconds: 0 });
  }
}

/**
 * The work on one message, under way, as its observer and its teardown. Once it is over it leads to nothing: RxJS 7.8 keeps
 * teardowns in array literals, which V8 (11 and 13) makes among the old where those of a program's first messages lasted,
 * and what they lead to would stay until the old are collected.
 */
class RunningWork<Body, Result> implements Observer<Result>, Unsubscribable {
  /** The subscription to the work. */
  inner: Subscription | undefined;
  #isGiving = false;
  /** Until the work has ended. */
  #message: LeasedMessage<Body> | undefined;
  #subscriber: Subscriber<Result> | undefined;
  readonly #retryDelaySeconds: RetryDelay<Body> | undefined;

  constructor(
    message: LeasedMessage<Body>,
    subscriber: Subscriber<Result>,
    retryDelaySeconds: RetryDelay<Body> | undefined,
  ) {
    this.#message = message;
    this.#subscriber = subscriber;
    this.#retryDelaySeconds = retryDelaySeconds;
  }

  next(result: Result): void {
    this.#isGiving = true;
    this.#subscriber?.next(result);
    this.#isGiving = false;
  }

  error(error: unknown): void {
    const message = this.#message;
    if (message === undefined) return;
    this.#message = undefined;
    void DeliveredMessage.fail(message, error, (onFailure) =>
      judgeDelay(this.#retryDelaySeconds, message, error, onFailure),
    );
    this.#subscriber?.complete();
  }

  complete(): void {
    const message = this.#message;
    if (message === undefined) return;
    this.#message = undefined;
    DeliveredMessage.succeed(message);
    this.#subscriber?.complete();
  }

  /** Nobody wants its results any more. */
  unsubscribe(): void {
    // Work that completes with the result that it is giving is finished, although that result ended the stream. By a promise,
    // as a test may have faked queueMicrotask().
    if (this.#isGiving) void Promise.resolve().then(() => this.#end());
    else this.#end();
  }

  #end(): void {
    this.inner?.unsubscribe();
    void this.#message?.retry({ delaySeconds: 0 });
    this.inner = undefined;
    this.#message = undefined;
    this.#subscriber = undefined;
  }
}
