import { lastValueFrom } from 'rxjs';
import type { LeasedMessage, Queue } from '../src/index.ts';
import { settleMap, toObservable } from '../src/rxjs.ts';

/** How a queue is read by handlers that compute. */
export interface Reading {
  readonly queue: Queue;
  readonly visibilityTimeoutMs: number;
  readonly concurrency: number;
  readonly batchSize: number;
  readonly signal: AbortSignal;
  /** Computes, for all that were handed out together. */
  readonly work: (messages: readonly LeasedMessage[]) => void;
}

/** The ways to read, and whether `concurrency` means something to them. */
export const computingSurfaces: Readonly<
  Record<
    string,
    {
      readonly isConcurrent: boolean;
      readonly isBatched: boolean;
      readonly read: (reading: Reading) => Promise<unknown>;
    }
  >
> = {
  process: {
    isConcurrent: true,
    isBatched: false,
    read: ({ queue, work, visibilityTimeoutMs, signal, concurrency }) =>
      queue.process((message) => work([message]), { visibilityTimeoutMs, signal, concurrency }),
  },
  observable: {
    isConcurrent: true,
    isBatched: false,
    read: ({ queue, work, concurrency, visibilityTimeoutMs, signal }) =>
      lastValueFrom(
        toObservable(queue, { visibilityTimeoutMs, signal }).pipe(
          settleMap(async (message) => work([message]), { concurrency }),
        ),
        {
          defaultValue: undefined,
        },
      ),
  },
  processBatches: {
    isConcurrent: true,
    isBatched: true,
    read: ({ queue, work, batchSize, ...options }) =>
      queue.processBatches(({ messages }) => work(messages), {
        ...options,
        size: batchSize,
        maxInFlight: batchSize * options.concurrency,
      }),
  },
  batches: {
    isConcurrent: false,
    isBatched: true,
    read: async ({ queue, work, visibilityTimeoutMs, batchSize, signal }) => {
      for await (const { messages } of queue.batches({ visibilityTimeoutMs, signal, size: batchSize })) work(messages);
    },
  },
  'for await': {
    isConcurrent: false,
    isBatched: false,
    read: async ({ queue, work, visibilityTimeoutMs, signal }) => {
      for await (const message of queue.consume({ visibilityTimeoutMs, signal })) work([message]);
    },
  },
};
