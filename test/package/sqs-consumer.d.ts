// What the documentation of sqs-consumer 14 says of the part that a page shows: the package itself needs the SDK of AWS.
declare module 'sqs-consumer' {
  interface Message {
    readonly Body?: string;
  }

  interface ConsumerOptions {
    readonly queueUrl: string;
    readonly batchSize?: number;
    readonly visibilityTimeout?: number;
    readonly handleMessageTimeout?: number;
    readonly pollingCompleteWaitTimeMs?: number;
    handleMessage(message: Message): Promise<Message>;
  }

  class Consumer {
    static create(options: ConsumerOptions): Consumer;
    on(event: 'error' | 'processing_error', listener: (error: Error) => void): this;
    start(): void;
    stop(): void;
  }
}
