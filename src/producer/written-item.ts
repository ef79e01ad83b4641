import { encodeMessage } from './encode-message.ts';
import { isEnvelope } from './envelope.ts';
import { type Forwardable, isForward, isForwardable } from './forward.ts';
import type { EncodedMessage } from './split-batches.ts';

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
  /** To be settled. */
  readonly messages: readonly Forwardable[];
  /** How many outputs are not confirmed. */
  left: number;
  /** Why one of them was not pushed. */
  failure: { readonly error: unknown } | undefined;

  constructor(item: unknown, index: number) {
    this.item = item;
    this.index = index;
    this.messages = isForward(item) ? item.messages : [];
    const { outputs, failure } = encode(item);
    this.outputs = outputs;
    this.left = outputs.length;
    this.failure = failure;
  }
}

function encode(item: unknown): Pick<WrittenItem, 'outputs' | 'failure'> {
  try {
    return { outputs: (isForward(item) ? item.outputs : [item]).map(encodeOutput), failure: undefined };
  } catch (error) {
    return { outputs: [], failure: { error } };
  }
}

function encodeOutput(output: unknown): EncodedMessage {
  if (isEnvelope(output)) return encodeMessage(output);
  // Pushed as it is, its lease would end unsettled: it would be pushed again and again.
  if (isForwardable(output)) {
    throw new TypeError('Cannot push a leased message as a body: write forward(message, [message.body])');
  }
  return encodeMessage({ body: output });
}
