export type { BatchOptions, ProcessBatchesArguments, ProcessBatchesOptions } from './consumer/batch-options.ts';
export type { BreakerOptions, ConsumeOptions, InvalidAction } from './consumer/consume-options.ts';
export type { BatchConsumer, CloseOptions, Consumer, ConsumerControl } from './consumer/consumer.ts';
export type { Decode, DecodeBody, UndecodedMessage } from './consumer/intake/decode.ts';
export type { ConsumerEvent, InvalidMessage, MessageIdentity } from './consumer/events.ts';
export type {
  DeadLetterOptions,
  DeadLetterQueue,
  LeasedMessage,
  RetryOptions,
} from './consumer/handing-out/leased-message.ts';
export type { MessageBatch } from './consumer/handing-out/message-batch.ts';
export type { BatchContext, BatchHandler } from './consumer/handing-out/process-batches.ts';
export type { KeyedMessage } from './consumer/intake/message-key.ts';
export type { ProcessOptions, RetryDelay } from './consumer/process-options.ts';
export type { MessageHandler } from './consumer/handing-out/process.ts';
export type { Processor } from './consumer/handing-out/processor.ts';
export type { BreakerStats, CloseReason, ConsumerState, ConsumerStats, ConsumerSummary } from './consumer/stats.ts';
export { encodeBody, type EncodedBody } from './contract/body.ts';
export type { AsyncDisposal } from './contract/async-disposal.ts';
export type { Clock, Timer } from './contract/clock.ts';
export { QueueError, type QueueErrorCode, type QueueErrorDetails, type ServiceError } from './contract/errors.ts';
export type { ItemIterator } from './contract/item-iterator.ts';
export type { ContentType, OutgoingMessage, PeekedMessage, PulledMessage, QueueMetrics } from './contract/message.ts';
export type {
  ObservedConsumer,
  ObservedMessage,
  ObservedQueue,
  ObservedSettlement,
  ObservedStats,
  Observer,
  Operation,
  OperationEnd,
  OperationStart,
  ProcessEnd,
  Processing,
  ProcessStart,
  ReceiveEnd,
  ReceiveStart,
  SendEnd,
  Sending,
  SendStart,
  SettleEnd,
  SettleStart,
} from './contract/observer.ts';
export type { Schema, SchemaIssue, SchemaResult } from './contract/schema.ts';
export type { Settlement } from './contract/settlement.ts';
export type {
  AckRequest,
  AckResult,
  BulkPushRequest,
  CallOptions,
  PeekRequest,
  PeekResult,
  PullRequest,
  PullResult,
  PurgeRequest,
  PurgeResult,
  PushResult,
  QueueTransport,
  RetryRequest,
} from './contract/transport.ts';
export type { StartRate } from './lease/rate-limit.ts';
export { envelope, type Envelope } from './producer/envelope.ts';
export { forward, type Forward, type Forwardable } from './producer/forward.ts';
export type { SendBatchOptions, SendOptions } from './producer/send-options.ts';
export type { RequestLimit } from './producer/token-bucket.ts';
export { openQueue } from './queue/open-queue.ts';
export type { BatchItem, Queue } from './queue/queue.ts';
export type { HandleOptions, QueueOptions } from './queue/queue-options.ts';
export type { Fetch, FetchAnswer, FetchInit } from './transports/cloudflare/fetch.ts';
export type { HttpHook, HttpHookContext, HttpHooks } from './transports/cloudflare/http-hooks.ts';
export type { CloudflareTransportOptions } from './transports/cloudflare/options.ts';
export type { AnswerHeaders } from './transports/cloudflare/retry-after.ts';
