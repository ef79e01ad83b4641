import { encodeMessage } from './encode-message.ts';
import { isEnvelope } from './envelope.ts';
import { type Forwardable, isForward } from './forward.ts';
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
  /** Whether its turn to be pushed has come. */
  isPushed = false;
  /** How many outputs are not confirmed. */
  left: number;
  /** Why one of them was not pushed. */
  failure: { readonly error: unknown } | undefined;

  constructor(item: unknown, index: number) {
    this.item = item;
    this.index = index;
    const messages = isForward(item) ? item.messages : [];
    const again = messages.find((message) => written.has(message));
    this.messages = messages.filter((message) => !written.has(message));
    for (const message of this.messages) written.add(message);
    const { outputs, failure } = again === undefined ? encode(item) : writtenBefore(again);
    this.outputs = outputs;
    this.left = outputs.length;
    this.failure = failure;
  }
}

type Encoded = Pick<WrittenItem, 'outputs' | 'failure'>;

function writtenBefore({ id }: Forwardable): Encoded {
  const text = `Cannot forward message ${id} twice: its group was written before, write each only once`;
  return { outputs: [], failure: { error: new TypeError(text) } };
}

function encode(item: unknown): Encoded {
  try {
    return { outputs: (isForward(item) ? item.outputs : [item]).map(encodeOutput), failure: undefined };
  } catch (error) {
    return { outputs: [], failure: { error } };
  }
}

function encodeOutput(output: unknown): EncodedMessage {
  return encodeMessage(isEnvelope(output) ? output : { body: output });
}
