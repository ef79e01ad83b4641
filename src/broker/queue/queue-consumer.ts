/** A Worker as the consumer of a queue: configuration alone. */
export interface WorkerConsumer {
  readonly scriptName: string;
  /** Empty where it has none. */
  readonly environment: string;
  readonly maxWaitTimeMs: number;
  /** `null`: as many as the platform runs. */
  readonly maxConcurrency: number | null;
}

/** The consumer of a queue. Its settings are among the queue's. */
export interface QueueConsumer {
  /** 32 hex characters. */
  readonly id: string;
  /** In milliseconds since the epoch. */
  readonly createdAt: number;
  /** Absent of an HTTP pull consumer. */
  readonly worker?: WorkerConsumer | undefined;
}
