import type { ContentType } from './message.ts';
import type { Settlement } from './settlement.ts';

/** A message as events name it. */
export interface MessageIdentity {
  /** The same on every delivery. */
  readonly id: string;
  /** How often the message was delivered, this time included: 1 or more. */
  readonly attempts: number;
}

/** A message whose body could not be decoded or did not fit the schema, or of which `key` gave no key. */
export interface InvalidMessage extends MessageIdentity {
  /** When the message was pushed. */
  readonly timestamp: Date;
  /** How the service encoded the body. */
  readonly contentType: ContentType;
  /** As of a {@link LeasedMessage}. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The decoded body that did not fit the schema, or was given to `key`; `undefined` when it could not be decoded. */
  readonly body: unknown;
  /** The body as it came, as of a `LeasedMessage`. */
  readonly raw: string | Uint8Array;
}

/**
 * What a consumer reports while it goes on.
 *
 * | type | when | what the consumer does |
 * |---|---|---|
 * | `handlerFailed` | the work on a message failed, see below | retries it, by default after the growing delay, or keeps it for a probe |
 * | `pullFailed` | a pull failed and will be repeated | waits `retryInMs` |
 * | `pullOverdue` | a pull has no answer for ten times as long as usual | pulls beside it, and takes its answer if it comes |
 * | `settleFailed` | a settle call failed and will be repeated | waits `retryInMs` |
 * | `deadLettered` | `deadLetter()` pushed a message to another queue | acknowledges it |
 * | `deadLetterFailed` | `deadLetter()` could not push a message to another queue | retries it, after the growing delay |
 * | `unsettled` | a settlement ended `lost` or `unknown` | nothing: the message may come again |
 * | `callbackFailed` | `retryDelaySeconds` or `onInvalid` threw, or gave what it must not | the default delay, or a retry |
 * | `overdue` | a message's lease ended while its handler runs | goes on; leases longer from then on, see below |
 * | `stalled` | all places for handlers are taken by messages whose leases have ended | nothing: no message can be started |
 * | `unstarted` | the lease of a last attempt ended before it could be started | nothing: the service gives the message up |
 * | `abandoned` | a message's lease ended, or `close()` ran out of grace, before it was settled | frees its place |
 * | `invalid` | a body could not be decoded or did not fit the schema, or a message has no key | what `onInvalid` says |
 * | `slowAnswer` | a pull took longer than half of its lease | asks for one message with a longer lease |
 * | `breakerOpened` | all work has failed for a while, see the option `breaker` | starts nothing but probes |
 * | `breakerClosed` | probes succeeded, `openMs` after it opened | goes on as before |
 * | `paused` | the service says that delivery is paused | asks again as if the queue were empty |
 *
 * `retryInMs` is at most five minutes; what the service asked for, which may be more, is the error's `retryAfterMs`.
 *
 * `overdue` comes where the consumer sees its handlers: loops, `process` and batches. `ranMs` says for how long the handler
 * has run. The message may be delivered again meanwhile, to whoever pulls; work that ends is acknowledged all the same.
 * Messages that are pulled later are leased for longer, up to `maxVisibilityTimeoutMs`.
 *
 * `handlerFailed` comes from the handlers of `process` and `processBatches`, from the work of `settleMap`, and from a
 * sink that did not push what a message was forwarded as.
 */
export type ConsumerEvent =
  | { readonly type: 'handlerFailed'; readonly message: MessageIdentity; readonly error: unknown }
  | { readonly type: 'pullFailed'; readonly error: unknown; readonly retryInMs: number }
  | { readonly type: 'pullOverdue'; readonly waitedMs: number }
  | { readonly type: 'settleFailed'; readonly error: unknown; readonly retryInMs: number; readonly messages: number }
  | { readonly type: 'deadLettered'; readonly message: MessageIdentity; readonly reason: unknown }
  | { readonly type: 'deadLetterFailed'; readonly message: MessageIdentity; readonly error: unknown }
  | { readonly type: 'unsettled'; readonly message: MessageIdentity; readonly settlement: Settlement }
  | {
      readonly type: 'callbackFailed';
      readonly callback: 'retryDelaySeconds' | 'onInvalid';
      readonly message: MessageIdentity;
      readonly error: unknown;
    }
  | { readonly type: 'overdue'; readonly message: MessageIdentity; readonly ranMs: number }
  | { readonly type: 'stalled'; readonly handlers: number }
  | { readonly type: 'unstarted'; readonly message: MessageIdentity }
  | { readonly type: 'abandoned'; readonly message: MessageIdentity }
  | { readonly type: 'invalid'; readonly message: InvalidMessage; readonly error: unknown }
  | { readonly type: 'slowAnswer'; readonly tookMs: number; readonly visibilityTimeoutMs: number }
  | {
      readonly type: 'breakerOpened';
      /** How many failures came in a row, and for how long. */
      readonly failures: number;
      readonly failingMs: number;
      readonly probeInMs: number;
      /** What the work failed with last; `undefined` where its message was retried by hand. */
      readonly error: unknown;
    }
  | { readonly type: 'breakerClosed'; readonly openMs: number }
  | { readonly type: 'paused' };
