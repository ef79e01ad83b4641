import type { Settlement } from '../../contract/settlement.ts';
import type { LeasedMessage, RetryOptions } from './leased-message.ts';

/**
 * Messages that are worked on together, in the form that a Workers `queue` handler gets.
 *
 * @see https://developers.cloudflare.com/queues/configuration/javascript-apis/#messagebatch
 */
export interface MessageBatch<Body = unknown> {
  /** The queue's name. */
  readonly queue: string;
  /** 1 or more. */
  readonly messages: readonly LeasedMessage<Body>[];
  /** Acknowledges all that are not settled yet. Resolves with what became of each message; never rejects. */
  ackAll(): Promise<readonly Settlement[]>;
  /**
   * Retries all that are not settled yet. Resolves with what became of each message; never rejects.
   *
   * @throws RangeError or TypeError at once, when `delaySeconds` is not a whole number in 0..86 400
   */
  retryAll(options?: RetryOptions): Promise<readonly Settlement[]>;
}
