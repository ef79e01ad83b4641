import { isItemFault } from './item-error.ts';
import { type EncodedMessage, splitBatches } from './split-batches.ts';

/** How batches are pushed, and who is told. */
export interface BatchWork {
  /** How many are pushed at once. */
  readonly atOnce: number;
  /** Pushes one. Gives for each message, in order, why it was not pushed, or `undefined`. Never rejects. */
  readonly push: (batch: readonly EncodedMessage[]) => Promise<readonly unknown[]>;
  /** Told of each message, by its place, once it is known whether it was pushed. */
  readonly onOutcome: (index: number, error: unknown) => void;
}

/**
 * Splits messages into batches and pushes them. Once one fails for a reason that is not a message's own, those that
 * follow are not tried: they would fail for the same reason, each after a while.
 */
export async function pushBatches(messages: readonly EncodedMessage[], work: BatchWork): Promise<void> {
  const { atOnce, push, onOutcome } = work;
  const batches = splitBatches(messages).values();
  let taken = 0;
  let fault: { readonly error: unknown } | undefined;
  const pushNext = async (): Promise<void> => {
    for (const batch of batches) {
      const first = taken;
      taken += batch.length;
      const errors = fault === undefined ? await push(batch) : batch.map(() => fault?.error);
      errors.forEach((error, index) => onOutcome(first + index, error));
      const cause = errors.find((error) => error !== undefined && !isItemFault(error));
      if (cause !== undefined) fault ??= { error: cause };
    }
  };
  await Promise.all(Array.from({ length: atOnce }, pushNext));
}
