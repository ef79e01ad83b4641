export type { ConsumeOptions } from './consumer/consume-options.ts';
export type { Consumer } from './consumer/consumer.ts';
export type { UndecodedMessage } from './consumer/intake/decode.ts';
export type { LeasedMessage } from './consumer/handing-out/leased-message.ts';
export type { MessageSource, SourceOptions } from './convert/message-source.ts';
export {
  type ConsumerHealth,
  type HealthHandler,
  healthOf,
  type HealthOptions,
  type HealthReport,
  type HealthSource,
  type HealthStatus,
} from './convert/node-health.ts';
export { type MessageReadable, toReadable } from './convert/node-readable.ts';
export { type QueueWritable, toWritable } from './convert/node-writable.ts';
export { decodeV8 } from './convert/node-v8.ts';
export type { MessageTarget, WritableItem } from './convert/queue-sink.ts';
export type { Envelope } from './producer/envelope.ts';
export type { Forward } from './producer/forward.ts';
export type { SendOptions } from './producer/send-options.ts';
export type { SinkOptions } from './producer/sink-options.ts';
