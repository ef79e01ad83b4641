/** The longest delay before a failed message is delivered again, in seconds. */
const longestDelaySeconds = 300;

/**
 * The delay of an automatic retry: `min(300, 2^attempts)` seconds, of which the last half is drawn at random.
 *
 * It grows because four instant deliveries, what `max_retries` 3 allows, would empty a queue into its dead letter queue
 * during a short outage.
 *
 * @param attempts - how often the message was delivered, this time included
 * @returns whole seconds, 1 to 300
 */
export function growingDelaySeconds(attempts: number, random: () => number): number {
  const full = Math.min(longestDelaySeconds, 2 ** attempts);
  return Math.max(1, Math.round(full * (0.5 + 0.5 * random())));
}
