import type { ResolvedProcessBatchesOptions } from './batch-options.ts';
import { Engine } from './engine.ts';
import type { QueueContext } from './queue-context.ts';
import { type DeliveredBatch, type MessageBatch, takeBatch } from './message-batch.ts';
import { poolMode } from './modes.ts';
import { judgeDelay } from './process-options.ts';
import { runToEnd } from './process.ts';
import type { ConsumerSummary } from './stats.ts';

/** What a Workers handler gets as its third argument. */
export interface BatchContext {
  /** Has `processBatches` wait for the promise before it resolves. The batch is settled without it. */
  waitUntil(promise: Promise<unknown>): void;
  /** Does nothing: there is nobody to pass on to. */
  passThroughOnException(): void;
}

/** A Workers `queue` handler: its batch is acknowledged when it fulfils, retried when it rejects or throws. */
export type BatchHandler<Body, Env> = (batch: MessageBatch<Body>, env: Env, ctx: BatchContext) => unknown;

/**
 * Runs a handler for each batch until the consumer closes.
 *
 * @returns what happened
 * @throws the error that ended it, when trying again can't help
 */
export async function runBatchHandler<Body>(
  context: QueueContext,
  handler: (batch: MessageBatch<Body>, ctx: BatchContext) => unknown,
  options: ResolvedProcessBatchesOptions<Body>,
): Promise<ConsumerSummary> {
  const engine = new Engine(context, options, poolMode(options.concurrency, options.size));
  const extended = new Set<Promise<unknown>>();
  const ctx: BatchContext = {
    waitUntil(promise) {
      const settled = Promise.resolve(promise)
        .catch((error: unknown) => {
          engine.stats.lastError = error;
        })
        .finally(() => extended.delete(settled));
      extended.add(settled);
    },
    passThroughOnException() {},
  };
  let underWay = 0;
  const run = async (batch: DeliveredBatch<Body>): Promise<void> => {
    underWay += 1;
    try {
      await handler(batch, ctx);
      for (const lease of batch.leases) engine.complete(lease, 'ack', engine.now());
    } catch (error) {
      retryBatch(engine, batch, options, error);
    }
    underWay -= 1;
  };
  engine.onReady = () => {
    while (underWay < options.concurrency) {
      // The time anew for each: what a handler does before its first await takes time.
      const batch = takeBatch<Body>(engine, options, engine.recent());
      if (typeof batch === 'number') return batch;
      void run(batch);
    }
    return Infinity;
  };
  try {
    return await runToEnd(engine);
  } finally {
    while (extended.size > 0) await Promise.all(extended);
  }
}

function retryBatch<Body>(
  engine: Engine,
  batch: DeliveredBatch<Body>,
  { retryDelaySeconds }: ResolvedProcessBatchesOptions<Body>,
  error: unknown,
): void {
  // Seen also where every message was settled by hand before.
  engine.stats.lastError = error;
  const share = 1 / batch.leases.length;
  batch.leases.forEach((lease, index) => {
    const message = batch.messages[index];
    if (message === undefined) return;
    if (lease.settledAs === undefined) {
      void engine.keeper.fail(
        lease,
        error,
        (onFailure) => judgeDelay(retryDelaySeconds, message, error, onFailure),
        share,
      );
    }
    engine.complete(lease, 'retry', engine.now());
  });
}
