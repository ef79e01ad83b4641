import type { ResolvedProcessBatchesOptions } from '../batch-options.ts';
import { Engine } from '../engine.ts';
import { limitsOf } from './handler-limits.ts';
import type { QueueContext } from '../queue-context.ts';
import type { DeliveredBatch } from './delivered-batch.ts';
import type { MessageBatch } from './message-batch.ts';
import { takeBatch } from './take-batch.ts';
import { poolMode } from './modes.ts';
import { judgeDelay } from '../process-options.ts';
import { type Processor, startProcessor } from './processor.ts';

/** What a Workers handler gets as its third argument. */
export interface BatchContext {
  /** Has `processBatches` wait for the promise before it resolves. The batch is settled without it. */
  waitUntil(promise: Promise<unknown>): void;
  /** Does nothing: there is nobody to pass on to. */
  passThroughOnException(): void;
}

/** A Workers `queue` handler: its batch is acknowledged when it fulfils, retried when it rejects or throws. */
export type BatchHandler<Body, Env> = (batch: MessageBatch<Body>, env: Env, ctx: BatchContext) => unknown;

/** Runs a handler for each batch until the consumer closes. */
export function runBatchHandler<Body>(
  context: QueueContext,
  handler: (batch: MessageBatch<Body>, ctx: BatchContext) => unknown,
  options: ResolvedProcessBatchesOptions<Body>,
): Processor {
  const engine = new Engine(context, options, poolMode(options.concurrency, options.size));
  const { extended } = engine;
  const ctx: BatchContext = {
    waitUntil(promise) {
      const settled = Promise.resolve(promise)
        .catch((error: unknown) => {
          engine.stats.lastError = error;
        })
        .finally(() => {
          extended.delete(settled);
          engine.wake();
        });
      extended.add(settled);
    },
    passThroughOnException() {},
  };
  const limits = limitsOf(engine, context.clock, options.handlerTimeoutMs);
  let underWay = 0;
  const free = (): void => {
    underWay -= 1;
  };
  const call = (batch: DeliveredBatch<Body>): unknown => handler(batch, ctx);
  const run = async (batch: DeliveredBatch<Body>): Promise<void> => {
    underWay += 1;
    const timer = limits?.start((error) => {
      free();
      for (const lease of batch.leases) engine.parts.signals.timeOut(lease, error);
      retryBatch(engine, batch, options, error);
    }, `a batch of ${batch.leases.length}, message ${batch.messages[0]?.id} its first,`);
    try {
      await batch.run(call);
      // Its messages may be with another handler by now.
      if (timer?.isOver === true) return;
      for (const lease of batch.leases) engine.complete(lease, 'ack', engine.now());
    } catch (error) {
      if (timer?.isOver !== true) retryBatch(engine, batch, options, error);
    }
    if (timer?.isOver === true) return;
    timer?.end();
    free();
  };
  engine.onReady = () => {
    while (underWay < processor.concurrency) {
      // The time anew for each: what a handler does before its first await takes time.
      const batch = takeBatch<Body>(engine, options, engine.recent(), true);
      if (typeof batch === 'number') return batch;
      void run(batch);
    }
    return Infinity;
  };
  const closed = engine.closed.then(async (summary) => {
    while (extended.size > 0 && !engine.parts.closing.hasGrace) await Promise.all(extended);
    return summary;
  });
  // Nothing is started before this has returned.
  const processor = startProcessor(engine, options, closed);
  return processor;
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
  // Before anybody is told of it, who may take time that is not the handler's.
  const endedAt = engine.now();
  batch.leases.forEach((lease, index) => {
    const message = batch.messages[index];
    if (message === undefined) return;
    lease.observed?.fail(error);
    if (lease.settledAs === undefined) {
      void engine.keeper.fail(
        lease,
        error,
        (onFailure) => judgeDelay(retryDelaySeconds, message, error, onFailure),
        share,
      );
    }
    engine.complete(lease, 'retry', endedAt);
  });
}
