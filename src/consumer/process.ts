import { checkInteger } from '../contract/check-options.ts';
import { limits } from '../contract/limits.ts';
import type { Lease } from '../lease/lease.ts';
import { Engine } from './engine.ts';
import type { QueueContext } from './queue-context.ts';
import { DeliveredMessage, type LeasedMessage } from './leased-message.ts';
import { poolMode } from './modes.ts';
import type { ResolvedProcessOptions, RetryDelay } from './process-options.ts';
import type { ConsumerSummary } from './stats.ts';

/**
 * Works on one message: acknowledged when it fulfils, retried when it rejects or throws, unless settled by hand.
 *
 * @param signal - `message.signal`; not given to a handler that declares one parameter
 */
export type MessageHandler<Body> = (message: LeasedMessage<Body>, signal: AbortSignal) => unknown;

/**
 * Runs a handler for each message, several at once, until the consumer closes.
 *
 * @returns what happened
 * @throws the error that ended it, when trying again can't help
 */
export function runHandlers<Body>(
  context: QueueContext,
  handler: MessageHandler<Body>,
  options: ResolvedProcessOptions<Body>,
): Promise<ConsumerSummary> {
  const engine = new Engine(context, options, poolMode(options.concurrency));
  const run = async (lease: Lease): Promise<void> => {
    const message = new DeliveredMessage<Body>(lease, engine.keeper);
    try {
      // A signal costs more than all else that is done for a message: it is made for whoever takes it.
      await (handler.length === 1
        ? (handler as (message: LeasedMessage<Body>) => unknown)(message)
        : handler(message, message.signal));
    } catch (error) {
      engine.report({ type: 'handlerFailed', message: { id: message.id, attempts: message.attempts }, error });
      engine.complete(lease, 'retry', engine.now(), judgeDelay(engine, options.retryDelaySeconds, message, error));
      return;
    }
    engine.complete(lease, 'ack', engine.now());
  };
  engine.onReady = () => {
    // The time anew for each: what a handler does before its first await takes time.
    for (let lease = engine.take(); lease !== undefined; lease = engine.take()) void run(lease);
    return Infinity;
  };
  return runToEnd(engine);
}

/** Starts an engine that keeps the process alive, and ends with it. */
export async function runToEnd(engine: Engine): Promise<ConsumerSummary> {
  engine.waiting = 1;
  engine.begin();
  const summary = await engine.closed;
  if (summary.reason === 'failed') throw summary.error;
  return summary;
}

/** The delay that the options give to a failed message; `undefined` for the default, also when they fail to. */
export function judgeDelay<Body>(
  engine: Engine,
  retryDelaySeconds: RetryDelay<Body> | undefined,
  message: LeasedMessage<Body>,
  error: unknown,
): number | undefined {
  if (typeof retryDelaySeconds !== 'function') return retryDelaySeconds;
  try {
    const delaySeconds = retryDelaySeconds(message, error);
    checkInteger('retry', 'retryDelaySeconds()', delaySeconds, [0, limits.delaySeconds]);
    return delaySeconds;
  } catch (failure) {
    engine.stats.lastError = failure;
    return undefined;
  }
}
