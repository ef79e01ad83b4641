/**
 * How much time a lease must have left for its message to be started, in milliseconds.
 *
 * Two round trips let a settlement arrive in time and be repeated once; a twentieth of the lease covers what a quiet
 * measurement hides; a quarter is the most that may be given away.
 */
export function marginMs(timeoutMs: number, roundTripMs: number): number {
  return Math.min(timeoutMs / 4, Math.max(timeoutMs / 20, 2 * roundTripMs));
}
