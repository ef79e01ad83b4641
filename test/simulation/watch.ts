import type { Observer } from '../../src/contract/observer.ts';
import type { LeasedMessage } from '../../src/consumer/handing-out/leased-message.ts';

/** Who follows what one client does. */
export interface Watch {
  readonly observer: Observer;
  /** Starts its surface. */
  within<Result>(start: () => Result): Result;
  /** A handler starts, in the context that it has. */
  started(messages: readonly LeasedMessage[]): void;
}
