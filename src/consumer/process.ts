import type { Lease } from '../lease/lease.ts';
import { Engine } from './engine.ts';
import type { QueueContext } from './queue-context.ts';
import { DeliveredMessage, type LeasedMessage } from './leased-message.ts';
import { poolMode } from './modes.ts';
import { judgeDelay, type ResolvedProcessOptions } from './process-options.ts';
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
      engine.complete(
        lease,
        'retry',
        engine.now(),
        judgeDelay(options.retryDelaySeconds, message, error, engine.stats),
      );
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
