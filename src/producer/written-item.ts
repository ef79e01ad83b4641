import type { SendEnd } from '../contract/observer.ts';
import type { Observers, Ongoing } from '../contract/observers.ts';
import { encodeRaw, type MovableMessage } from '../contract/raw-body.ts';
import { encodeMessage } from './encode-message.ts';
import { isEnvelope } from './envelope.ts';
import { type Forward, type Forwardable, isForward, isForwardable } from './forward.ts';
import { isItemFault } from './item-error.ts';
import type { EncodedMessage } from './split-batches.ts';

/** Messages that were written in a group, to any sink. */
const written = new WeakSet<Forwardable>();

/**
 * An item as it was written to a sink, encoded at once, so that a later change of its body changes nothing.
 *
 * Settled when `failure` is known or nothing is `left`.
 */
export class WrittenItem {
  /** As it was written. */
  readonly item: unknown;
  /** Its place among all items of the sink: 0 for the first. */
  readonly index: number;
  /** To be pushed; empty when one of them can't be. */
  readonly outputs: readonly EncodedMessage[];
  /** To be settled: not those that were written before, which settle with that group. */
  readonly messages: readonly Forwardable[];
  /** What observers are told of it. */
  readonly sending: Ongoing<SendEnd> | undefined;
  /** Whether somebody sees to its messages: its turn to be pushed has come, or it was given up. */
  isSeenTo = false;
  /** How many outputs are not confirmed. */
  left: number;
  /** Why one of them was not pushed. */
  failure: { readonly error: unknown } | undefined = undefined;

  constructor(item: unknown, index: number, observers?: Observers) {
    this.item = item;
    this.index = index;
    const messages: Forwardable[] = [];
    this.messages = messages;
    const [outputs, group] = isForward(item) ? [item.outputs, item.messages] : [[item], []];
    const isBatch = outputs.length > 1;
    this.sending = outputs.length === 0 ? undefined : observers?.begin('send', { messages: outputs.length, isBatch });
    try {
      if (isForward(item)) takeMessages(item, messages);
      this.outputs = outputs.map((output) => encodeOutput(output, group, this.sending));
    } catch (error) {
      this.outputs = [];
      this.failure = { error: ownError(error) };
    }
    this.left = this.outputs.length;
  }
}

/**
 * Takes the messages that are to be settled with a group.
 *
 * @throws TypeError when one of them is not, after all were looked at
 */
function takeMessages({ messages }: Forward, taken: Forwardable[]): void {
  let wrong: string | undefined;
  for (const message of messages) {
    if (!isForwardable(message)) wrong ??= 'Cannot forward what is not a leased message';
    else if (written.has(message)) {
      wrong ??= `Cannot forward message ${message.id} twice: its group was written before, write each only once`;
    } else {
      written.add(message);
      taken.push(message);
    }
  }
  if (wrong !== undefined) throw new TypeError(wrong);
}

/** Whatever a body throws while it is read is that item's fault alone. */
function ownError(cause: unknown): unknown {
  return isItemFault(cause) ? cause : new TypeError('Cannot read what was written', { cause });
}

/** @param group - the messages of which each may be an output itself: it goes as it came */
function encodeOutput(
  output: unknown,
  group: readonly unknown[],
  sending: Ongoing<SendEnd> | undefined,
): EncodedMessage {
  const message = isEnvelope(output) ? output : { body: output };
  const { body } = message;
  if (isMovable(body) && group.includes(body)) return encodeMessage({ ...message, body: encodeRaw(body) });
  return encodeMessage(sending === undefined ? message : { ...message, body: sending.inject(body) });
}

/** Whether it is a leased message that tells what came. */
function isMovable(body: unknown): body is MovableMessage {
  return isForwardable(body) && 'raw' in body;
}
