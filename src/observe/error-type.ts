import { QueueError } from '../contract/errors.ts';

/** What an operation failed with, in one word of which there are few: a `QueueError` by its code, others by their name. */
export function errorTypeOf(error: unknown): string {
  if (error instanceof QueueError) return error.code;
  return error instanceof Error && error.name !== '' ? error.name : '_OTHER';
}
