import { rule } from '../contract/check-options.ts';
import { type Envelope, kind, kindOf } from './envelope.ts';

/** What a sink asks of a leased message. */
export interface Forwardable {
  /** Names it in errors. */
  readonly id: string;
  /** Acknowledges it, once what it became is confirmed. */
  ack(): Promise<unknown>;
  /** Retries it, where that could not be pushed. */
  retry(options?: { readonly delaySeconds?: number }): Promise<unknown>;
}

/** Leased messages and what they become, for a sink. Made by {@link forward}. */
export interface Forward<Body = unknown> {
  /** Tells it from a body. */
  readonly [kind]: 'forward';
  /** What is settled once the outputs are pushed. */
  readonly messages: readonly Forwardable[];
  /** What the messages become: any number. */
  readonly outputs: ReadonlyArray<Body | Envelope<Body>>;
}

/** Messages that stand in a group. */
const grouped = new WeakSet<Forwardable>();

/**
 * Groups leased messages with what they become, for `toWritable` and `toWritableStream`. The sink pushes the outputs,
 * acknowledges the messages once all of them are confirmed, and retries the messages, after the growing delay, if one
 * can't be pushed.
 *
 * - One written item is one group: one to none, `forward(message, [])`; one to many; many to one, with an array of messages.
 * - A message can be in one group only, and a group can be written only once: else it fails with a `TypeError`. A message
 *   that is in none is not settled by the sink: its lease ends, and it comes again.
 * - What was settled by hand before stays so.
 * - A message of the group may be an output itself, alone or in an envelope: it is moved as it came, to the last digit. HTTP
 *   can't carry `bytes`, `v8` and what is not of its content type: such a group fails.
 * - Many to one needs `minInFlight` at its source: else the next message comes only after the one before was settled.
 * - A group that is retried may have been pushed in part: delivery is at least once.
 *
 * @param messageOrMessages - of any surface. A loop or a handler that acknowledges by itself leaves a message to the sink
 * from when its group is written; many to one therefore needs `toReadable`, `toReadableStream` or `settle: 'manual'`,
 * which acknowledge nothing while a group is gathered.
 * @param outputs - bodies, envelopes, or messages of the group themselves
 * @throws TypeError when something is not a leased message, or is in a group already
 */
export function forward<Body>(
  messageOrMessages: Forwardable | readonly Forwardable[],
  outputs: ReadonlyArray<Body | Envelope<Body>>,
): Forward<Exclude<Body, Forwardable>>;
export function forward<Body>(
  messageOrMessages: Forwardable | readonly Forwardable[],
  outputs: ReadonlyArray<Body | Envelope<Body>>,
): Forward<Body> {
  if (!isArray(outputs)) throw new TypeError(rule('forward', 'outputs', 'an array', outputs));
  const messages = isArray(messageOrMessages) ? [...messageOrMessages] : [messageOrMessages];
  const seen = new Set<Forwardable>();
  for (const message of messages) {
    if (!isForwardable(message)) {
      throw new TypeError(rule('forward', 'messageOrMessages', 'a leased message or an array of them', message));
    }
    if (grouped.has(message) || seen.has(message)) {
      throw new TypeError(`Cannot forward message ${message.id} in two groups: make one group of all that it becomes`);
    }
    seen.add(message);
  }
  for (const message of messages) grouped.add(message);
  return { [kind]: 'forward', messages, outputs: [...outputs] };
}

function isArray<Item>(value: Item | readonly Item[]): value is readonly Item[] {
  return Array.isArray(value);
}

/** Whether it has the methods of a leased message: a copy by `{ ...message }` has lost them. */
export function isForwardable(value: unknown): value is Forwardable {
  if (typeof value !== 'object' || value === null) return false;
  return 'ack' in value && typeof value.ack === 'function' && 'retry' in value && typeof value.retry === 'function';
}

/** Whether {@link forward} made it. */
export function isForward(value: unknown): value is Forward {
  return kindOf(value) === 'forward';
}
