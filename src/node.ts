export { toReadable } from './convert/node-readable.ts';
export { toWritable } from './convert/node-writable.ts';
export type { MessageSource, SourceOptions } from './convert/message-source.ts';
export type { MessageTarget, WritableItem } from './convert/queue-sink.ts';
export type { SinkOptions } from './producer/sink-options.ts';
