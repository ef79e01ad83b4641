import { checkCloseOptions, type CloseOptions, type ConsumerControl } from '../consumer.ts';
import { Engine } from '../engine.ts';
import type { Order } from '../intake/message-key.ts';
import { poolMode } from './modes.ts';
import { checkConcurrency, checkInOrder, lookAheadOf } from '../process-options.ts';
import type { QueueContext } from '../queue-context.ts';
import { resolveConsumeOptions } from '../resolve-consume-options.ts';
import type { ConsumerStats, ConsumerSummary } from '../stats.ts';

/**
 * Handlers at work: a promise of what happened, which rejects with the error that ended it, and what steers them meanwhile.
 *
 * Whoever awaits it, or gives it back from an `async` function, gets the summary: keep it before. `closed` and `close()`
 * never reject, but don't see to its rejection: where nobody awaits it, that is unhandled, as of any promise.
 *
 * @example
 * ```ts
 * import { openQueue } from 'leasestream';
 *
 * const queue = openQueue<{ id: string }>({ queueId: process.env.QUEUE_ID! });
 * const processor = queue.process(({ body }) => console.log(body.id), { concurrency: 4, stopWhenEmpty: true });
 * processor.concurrency = 20;
 * console.log(processor.stats.inFlight);
 * const { acked } = await processor;
 * console.log(acked);
 * ```
 */
export interface Processor extends Promise<ConsumerSummary>, ConsumerControl {
  /**
   * How many handlers, or batches, may be at work at once, 1 to `maxInFlight`, or to `maxInFlight / size`. When it is raised,
   * more start at once; when it is lowered, those at work are waited for.
   *
   * @throws RangeError or TypeError when it is set to anything else
   */
  concurrency: number;
}

/** What of its options a processor looks at later. */
export interface ProcessorOptions {
  readonly concurrency: number;
  readonly maxInFlight: number;
  /** How many messages a handler takes; one, where it is left out. */
  readonly size?: number;
  readonly order: Order | undefined;
  readonly maxRetries: number;
}

/** A promise in all that it does and in how a failure of it is told; those made of it are plain ones. */
class RunningProcessor extends Promise<ConsumerSummary> implements Processor {
  readonly #engine: Engine;
  readonly #options: ProcessorOptions;
  readonly #closed: Promise<ConsumerSummary>;
  #concurrency: number;

  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  /** @param closed - tells when nothing of it is left */
  constructor(engine: Engine, options: ProcessorOptions, closed: Promise<ConsumerSummary>) {
    super((resolve, reject) => {
      void closed.then((summary) => (summary.reason === 'failed' ? reject(summary.error) : resolve(summary)));
    });
    this.#engine = engine;
    this.#options = options;
    this.#closed = closed;
    this.#concurrency = options.concurrency;
  }

  get concurrency(): number {
    return this.#concurrency;
  }

  set concurrency(concurrency: number) {
    const { order, size } = this.#options;
    checkConcurrency(concurrency, this.#options);
    checkInOrder(size === undefined ? 'process' : 'process batches', order, concurrency);
    this.#concurrency = concurrency;
    if (order?.key !== undefined) order.lookAhead = lookAheadOf(concurrency, this.#options);
    this.#engine.resize(concurrency * (size ?? 1));
  }

  get closed(): Promise<ConsumerSummary> {
    return this.#closed;
  }

  get stats(): ConsumerStats {
    return this.#engine.snapshot();
  }

  async close(options: CloseOptions = {}): Promise<ConsumerSummary> {
    await this.#engine.close('closed', checkCloseOptions(options));
    return this.#closed;
  }

  pause(): void {
    this.#engine.pause();
  }

  resume(): void {
    this.#engine.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** One that has failed before it was made. */
export function failedProcessor(context: QueueContext, error: unknown): Processor {
  const options = resolveConsumeOptions();
  const engine = new Engine(context, options, poolMode(1));
  void engine.close('failed', { error });
  return new RunningProcessor(engine, { ...options, concurrency: 1 }, engine.closed);
}

/** Starts an engine that keeps the process alive. */
export function startProcessor(
  engine: Engine,
  options: ProcessorOptions,
  closed: Promise<ConsumerSummary> = engine.closed,
): Processor {
  engine.waiting = 1;
  engine.begin();
  return new RunningProcessor(engine, options, closed);
}
