import { checkOneOf } from '../../contract/check-options.ts';

/** What becomes of a message whose body could not be decoded or did not fit the schema. */
export type InvalidAction = 'retry' | 'ack' | 'throw';

/** Throws a `TypeError` unless it is something to do with an invalid message. */
export function checkInvalidAction(name: string, action: unknown): void {
  checkOneOf('consume', name, action, ['retry', 'ack', 'throw'] satisfies InvalidAction[]);
}
