export { encodeBody, type EncodedBody } from './contract/body.ts';
export type { Clock, Timer } from './contract/clock.ts';
export { QueueError, type QueueErrorCode, type QueueErrorDetails, type ServiceError } from './contract/errors.ts';
export type { ContentType, OutgoingMessage, PeekedMessage, PulledMessage, QueueMetrics } from './contract/message.ts';
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
export type { AnswerHeaders } from './transports/cloudflare/retry-after.ts';
export type { Fetch, FetchAnswer, FetchInit } from './transports/cloudflare/fetch.ts';
export type { HttpHook, HttpHookContext, HttpHooks } from './transports/cloudflare/http-hooks.ts';
export type { CloudflareTransportOptions } from './transports/cloudflare/options.ts';
export { createCloudflareTransport } from './transports/cloudflare/transport.ts';
