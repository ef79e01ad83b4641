import type { RawMessage } from './raw-queue.ts';

/** What the platform sets for a consumer that says nothing. */
const usualRetries = 3;

/**
 * Whether a message that is not leased would be delivered for the last time: given back after that, it goes to the dead
 * letter queue, or is deleted.
 */
export function isOnLastAttempt({ attempts }: RawMessage, maxRetries: number = usualRetries): boolean {
  return attempts >= maxRetries;
}
