import { Refusal, refusals } from './refusal.ts';

/**
 * The refusal that an error is answered with. What is not one is a mistake of the server or of who extends it: its text
 * is for them, on the console, and no client sees it.
 */
export function refusalFor(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  // oxlint-disable-next-line no-console
  console.error('leasestream: the broker failed to answer a request:', error);
  return refusals.internal();
}
