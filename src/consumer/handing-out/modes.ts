import { type Handlers, SeenHandlers } from '../../lease/handlers.ts';
import type { Running } from '../../lease/running-leases.ts';
import { UnseenHandlers } from '../../lease/unseen-handlers.ts';
import type { ResolvedConsumeOptions } from '../consume-options.ts';

/** How a surface works on messages. */
export interface DeliveryMode {
  /** Builds the view of the handlers that the pull planner asks. */
  readonly handlers: (running: Running) => Handlers;
  /**
   * Whether a message is finished by its settlement alone, because the engine can't see its handler: its place is then
   * freed when its lease ends.
   */
  readonly unseen: boolean;
  /** Whether, once the consumer closes, a message settled by hand counts as finished although its handler runs on. */
  readonly endsWithSettlement: boolean;
}

/** One loop that takes a message, or up to `size` of them, when it has finished what it took before. */
export function loopMode(size = 1): DeliveryMode {
  return { handlers: (running) => new SeenHandlers(size, running, size), unseen: false, endsWithSettlement: true };
}

/** Handlers side by side whose ends the engine sees, each of which takes a message, or up to `size` of them. */
export function poolMode(concurrency: number, size = 1): DeliveryMode {
  return {
    handlers: (running) => new SeenHandlers(concurrency * size, running, size),
    unseen: false,
    endsWithSettlement: false,
  };
}

/** Messages go, `batch` at a time, to code that the engine can't see, as fast as it reads and settles. */
export function unseenMode(options: ResolvedConsumeOptions, batch = 1): DeliveryMode {
  const { maxInFlight, minInFlight, order, visibilityTimeoutMs } = options;
  // What was handed out could not be held back any more if what came before it is retried.
  const most = order === undefined ? maxInFlight : batch;
  const reads = { batch, least: Math.max(batch, minInFlight) };
  return {
    handlers: (running) => new UnseenHandlers(running, most, visibilityTimeoutMs, reads),
    unseen: true,
    endsWithSettlement: true,
  };
}
