import type { Lease } from '../../lease/lease.ts';
import { Engine } from '../engine.ts';
import { limitsOf } from './handler-limits.ts';
import { observeWork } from './observe-work.ts';
import type { QueueContext } from '../queue-context.ts';
import { DeliveredMessage } from './delivered-message.ts';
import type { LeasedMessage } from './leased-message.ts';
import { poolMode } from './modes.ts';
import { judgeDelay, type ResolvedProcessOptions } from '../process-options.ts';
import { type Processor, startProcessor } from './processor.ts';

/**
 * Works on one message: acknowledged when it fulfils, retried when it rejects or throws, unless settled by hand.
 *
 * @param signal - `message.signal`. Not given to a handler whose `length` is 1: one that declares one parameter, but also
 * `(message, signal = mine)` and `(message, ...rest)`. These ask for `message.signal`. Nor to `() => …`, which could not see it
 */
export type MessageHandler<Body> = (message: LeasedMessage<Body>, signal: AbortSignal) => unknown;

/** Runs a handler for each message, several at once, until the consumer closes. */
export function runHandlers<Body>(
  context: QueueContext,
  handler: MessageHandler<Body>,
  options: ResolvedProcessOptions<Body>,
): Processor {
  const engine = new Engine(context, options, poolMode(options.concurrency));
  // A signal costs more than all else that is done for a message: it is made for whoever takes it.
  const takesSignal = handler.length !== 1 && !takesNothing.test(sourceOf(handler));
  const limits = limitsOf(engine, context.clock, options.handlerTimeoutMs);
  const handle = handler as (message: LeasedMessage<Body>, signal?: AbortSignal) => unknown;
  const call = (message: LeasedMessage<Body>): unknown =>
    takesSignal ? handle(message, message.signal) : handle(message);
  const { observers, parts } = engine;
  const observe = (lease: Lease, message: LeasedMessage<Body>): unknown => {
    const observed = observeWork(observers, [lease], [message], { isBatch: false, isRun: true });
    return observed === undefined ? call(message) : observed.run(() => call(message));
  };
  const fail = (lease: Lease, message: LeasedMessage<Body>, error: unknown): void => {
    // Before anybody is told of it, who may take time that is not the handler's.
    const endedAt = engine.recent();
    void engine.keeper.fail(lease, error, (onFailure) =>
      judgeDelay(options.retryDelaySeconds, message, error, onFailure),
    );
    engine.complete(lease, 'retry', endedAt);
  };
  const finish = async (lease: Lease, message: LeasedMessage<Body>, work: unknown): Promise<void> => {
    const timer = limits?.start((error) => {
      parts.signals.timeOut(lease, error);
      fail(lease, message, error);
    }, `message ${message.id}`);
    try {
      await work;
    } catch (error) {
      if (timer?.isOver !== true) fail(lease, message, error);
      return;
    } finally {
      timer?.end();
    }
    // Its message may be with another handler by now.
    if (timer?.isOver === true) return;
    engine.complete(lease, 'ack', engine.recent());
  };
  /** Gives the time afterwards: a handler that ends at once has its end measured, and the next its start, by one reading. */
  const run = (lease: Lease): number => {
    const message = new DeliveredMessage<Body>(lease, engine.keeper);
    let work: unknown;
    try {
      work = observers === undefined ? call(message) : observe(lease, message);
    } catch (error) {
      fail(lease, message, error);
      return engine.recent();
    }
    const now = engine.recent();
    // Only what can't be a thenable is over without being awaited; some are functions.
    if ((typeof work === 'object' && work !== null) || typeof work === 'function') void finish(lease, message, work);
    else engine.complete(lease, 'ack', now);
    return now;
  };
  engine.onReady = () => {
    // The time anew for each: what a handler does before its first await takes time.
    let now = engine.recent();
    for (let started = 0; started < mostPerTurn; started += 1) {
      const lease = engine.take(now);
      if (lease === undefined) return Infinity;
      now = run(lease);
    }
    engine.wake();
    return Infinity;
  };
  return startProcessor(engine, options);
}

/**
 * The source of an arrow function without parameters: it sees nothing of what it is called with. A `function` has its
 * `arguments`, and what is bound, a proxy or native shows another source.
 */
const takesNothing = /^(async\s*)?\(\s*\)\s*=>/;

function sourceOf(handler: object): string {
  return Function.prototype.toString.call(handler);
}

/** How many handlers start before the event loop has its turn: those that end at once would leave it none. */
const mostPerTurn = 100;
