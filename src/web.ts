export type { MessageSource, SourceOptions } from './convert/message-source.ts';
export type { MessageTarget, WritableItem } from './convert/queue-sink.ts';
export { toReadableStream } from './convert/web-readable.ts';
export { toWritableStream } from './convert/web-writable.ts';
export type { SinkOptions } from './producer/sink-options.ts';
