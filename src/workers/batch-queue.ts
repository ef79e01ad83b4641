import type { ConsumeOptions } from '../consumer/consume-options.ts';
import { openQueue } from '../queue/open-queue.ts';
import type { Queue } from '../queue/queue.ts';
import type { HandleOptions } from '../queue/queue-options.ts';
import { BatchTransport } from './batch-transport.ts';
import { checkBatch, type PushedBatch, takeBatch } from './pushed-batch.ts';

/** What a handle of a batch is told of its bodies. */
export type BodyOptions<Body> = Pick<HandleOptions<Body>, 'schema' | 'decode' | 'clock' | 'random'>;

/** A batch as a queue, and what its one consumer is to be told. */
export interface BatchQueue<Body> {
  readonly queue: Queue<Body>;
  readonly options: ConsumeOptions;
  /** To be called when the consumer has closed. */
  readonly retryRest: () => void;
}

/** How long the platform lets an invocation take, in milliseconds. */
const longestInvocationMs = 900_000;

/** Messages of one batch at most. */
export const mostMessages = 100;

/** Nothing here is leased, pulled again, or ended by a crash that this process survives. */
const fixed = {
  visibilityTimeoutMs: longestInvocationMs,
  maxVisibilityTimeoutMs: longestInvocationMs,
  maxInFlight: mostMessages,
  minInFlight: mostMessages,
  maxRetries: mostMessages,
  isolateSuspects: false,
  breaker: false,
} as const satisfies ConsumeOptions;

/** @throws TypeError when it is no batch, or was taken before */
export function openBatch<Body>(action: string, batch: PushedBatch, bodies: BodyOptions<Body>): BatchQueue<Body> {
  checkBatch(action, batch);
  const transport = new BatchTransport(batch);
  const queue = openQueue<Body>({ ...bodies, transport, queueName: batch.queue });
  takeBatch(batch);
  return {
    queue,
    options: { ...fixed, signal: transport.settled },
    retryRest: () => transport.retryRest(),
  };
}
