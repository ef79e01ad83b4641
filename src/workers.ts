export { type BatchSourceOptions, fromBatch } from './workers/from-batch.ts';
export type { BodyOptions } from './workers/batch-queue.ts';
export { type BindingSendOptions, fromBinding, type QueueBinding } from './workers/from-binding.ts';
export type { PushedBatch, PushedMessage } from './workers/pushed-batch.ts';
export {
  type PushHandler,
  type PushHandlerContext,
  type PushHandlerOptions,
  type QueueHandler,
  toQueueHandler,
} from './workers/to-queue-handler.ts';
