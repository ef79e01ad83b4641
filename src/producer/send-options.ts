/** How one message is sent. */
export interface SendOptions {
  /** How the body is encoded. @defaultValue `'text'` for a string, `'json'` for everything else */
  readonly contentType?: 'text' | 'json';
  /**
   * How long the message stays invisible, in seconds, a whole number from 0 to 86 400.
   *
   * @defaultValue the queue's own `delivery_delay`
   * @see https://developers.cloudflare.com/queues/platform/limits/
   */
  readonly delaySeconds?: number;
}

/** How a batch is sent. */
export interface SendBatchOptions {
  /**
   * The delay of every message that has none of its own, in seconds, a whole number from 0 to 86 400.
   *
   * @defaultValue the queue's own `delivery_delay`
   * @see https://developers.cloudflare.com/queues/platform/limits/
   */
  readonly delaySeconds?: number;
  /**
   * Ends the sending: no more requests are made, those under way are broken off, and the promise rejects with its reason.
   * What was confirmed before stays pushed; what those under way carry may be pushed or not. An abort that comes when all
   * is confirmed changes nothing.
   *
   * @defaultValue none
   */
  readonly signal?: AbortSignal;
}
