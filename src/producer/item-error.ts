import { inOtherWords, QueueError } from '../contract/errors.ts';

/**
 * Whether the service refused what was pushed, with 400 or 413, rather than who pushed it, how or where. A transport that
 * tells of no status is taken at its word; something on the way is not.
 */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof QueueError) || error.inEnvelope === false) return false;
  if (error.code !== 'refused' && error.code !== 'too-large') return false;
  return error.status === undefined || error.status === 400 || error.status === 413;
}

/** Whether there was too much in one request, by whoever's word. */
export function isTooLarge(error: unknown): boolean {
  return error instanceof QueueError && error.code === 'too-large';
}

/** Whether an error is the item's own, so that others may still be pushed. */
export function isItemFault(error: unknown): boolean {
  return isRefusal(error) || error instanceof TypeError || error instanceof RangeError;
}

/** An error of the same kind that names the item; anything but ours passes through untouched. */
export function namingItem(index: number, cause: unknown): unknown {
  if (cause instanceof QueueError) return inOtherWords(cause, textOf(index, cause));
  if (cause instanceof RangeError) return new RangeError(textOf(index, cause), { cause });
  return cause instanceof TypeError ? new TypeError(textOf(index, cause), { cause }) : cause;
}

function textOf(index: number, { message }: Error): string {
  return `Cannot push item ${index} of the stream: ${message}`;
}
