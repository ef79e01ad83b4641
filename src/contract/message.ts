import type { QueueError } from './errors.ts';

/**
 * How the service encoded a body. HTTP push takes `text` and `json`; `bytes` and `v8` come from Workers.
 *
 * @see https://developers.cloudflare.com/queues/configuration/javascript-apis/#queuescontenttype
 */
export type ContentType = 'text' | 'json' | 'bytes' | 'v8';

/** A message as a pull hands it over: leased, its body decoded. */
export interface PulledMessage {
  /** The message's id; the same on every delivery. */
  readonly id: string;
  /** Names this delivery; settles the message. A few hundred characters. */
  readonly leaseId: string;
  /** 1 on the first delivery. */
  readonly attempts: number;
  /** When the message was pushed, in milliseconds since the epoch. */
  readonly timestampMs: number;
  /** How the service encoded the body. */
  readonly contentType: ContentType;
  /** What the service says of the message beside its body: names and texts, such as `CF-Content-Type`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The decoded body: a string, a JSON value, or a `Uint8Array`; `undefined` when `bodyError` is set. */
  readonly body: unknown;
  /** Why the body could not be decoded. */
  readonly bodyError?: QueueError;
  /**
   * The body as it was pushed: the text of `text` and of `json`, the bytes of `bytes` and of `v8`. Where it is not of its
   * content type, the text that came. A message is moved as this. Left out by a transport that does not know it: what is
   * moved is encoded anew then.
   */
  readonly raw?: string | Uint8Array;
  /** The length of the body as it came over the wire, in characters. */
  readonly bodyLength: number;
}

/** A message as a peek shows it: not leased. */
export interface PeekedMessage {
  /** The same on every delivery. */
  readonly id: string;
  /** Names the message for `purge`. */
  readonly ref: string;
  /** How often the message was delivered, as the service says; 0 when it does not. */
  readonly attempts: number;
  /** When the message was pushed, in milliseconds since the epoch. */
  readonly timestampMs: number;
  /** How the service encoded the body. */
  readonly contentType: ContentType;
  /** As of a {@link PulledMessage}. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The decoded body, as of a {@link PulledMessage}. */
  readonly body: unknown;
  /** Why the body could not be decoded. */
  readonly bodyError?: QueueError;
  /** As of a {@link PulledMessage}. */
  readonly raw?: string | Uint8Array;
}

/** A message to push. */
export interface OutgoingMessage {
  /** A string, anything `JSON.stringify` can represent, or an `EncodedBody`, which `encodeBody()` makes of them all. */
  readonly body: unknown;
  /** How the body is encoded. @defaultValue `'text'` for a string, `'json'` for everything else */
  readonly contentType?: 'text' | 'json';
  /**
   * How long the message stays invisible, in seconds, 0 to 86 400.
   *
   * @defaultValue the queue's `delivery_delay`
   * @see https://developers.cloudflare.com/queues/platform/limits/
   */
  readonly delaySeconds?: number;
}

/** The service's best-effort view of a queue. */
export interface QueueMetrics {
  /** Messages not yet acknowledged, leased and delayed ones included. */
  readonly backlogCount: number;
  /** Their size in bytes. */
  readonly backlogBytes: number;
  /** When the oldest of them was pushed, in milliseconds since the epoch; 0 when unknown. */
  readonly oldestMessageTimestampMs: number;
}
