import { isItemFault } from './item-error.ts';
import type { OnOutcome } from './pusher.ts';
import { type EncodedMessage, splitBatches } from './split-batches.ts';

/** How batches are pushed, and who is told. */
export interface BatchWork {
  /** How many are pushed at once. */
  readonly atOnce: number;
  /** Pushes one, and tells of each of its messages. Never rejects. */
  readonly push: (batch: readonly EncodedMessage[], onOutcome: OnOutcome) => Promise<void>;
  /** Told of each message, by its place among all. */
  readonly onOutcome: OnOutcome;
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
      const tell: OnOutcome = (index, error) => {
        if (error !== undefined && !isItemFault(error)) fault ??= { error };
        onOutcome(first + index, error);
      };
      if (fault === undefined) await push(batch, tell);
      else for (const index of batch.keys()) tell(index, fault.error);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, pushNext));
}
