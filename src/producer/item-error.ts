import { QueueError } from '../contract/errors.ts';

/** Whether an error is the item's own, so that others may still be pushed. */
export function isItemFault(error: unknown): boolean {
  if (error instanceof QueueError) return error.code === 'refused' || error.code === 'too-large';
  return error instanceof TypeError || error instanceof RangeError;
}

/** An error of the same kind that names the item; anything but ours passes through untouched. */
export function namingItem(index: number, cause: unknown): unknown {
  if (cause instanceof QueueError) {
    const { code, status, errors, retryAfterMs } = cause;
    const optional = {
      ...(status === undefined ? {} : { status }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
    return new QueueError(textOf(index, cause), { code, cause, errors, ...optional });
  }
  if (cause instanceof RangeError) return new RangeError(textOf(index, cause), { cause });
  return cause instanceof TypeError ? new TypeError(textOf(index, cause), { cause }) : cause;
}

function textOf(index: number, { message }: Error): string {
  return `Cannot push item ${index} of the stream: ${message}`;
}
