import { encodeRaw } from '../contract/raw-body.ts';
import { coreOf } from '../convert/handle-core.ts';
import { pushBatches } from '../producer/push-batches.ts';
import type { Pusher } from '../producer/pusher.ts';
import type { EncodedMessage } from '../producer/split-batches.ts';
import type { Queue } from '../queue/queue.ts';
import type { RawMessage } from './raw-queue.ts';

const requestsAtOnce = 4;

/** Pushes messages of one queue to another as they are, and tells what became of each. */
export class RawPusher {
  readonly #queue: Queue;
  readonly #pusher: Pusher;

  constructor(queue: Queue) {
    const core = coreOf(queue);
    if (core === undefined) throw new TypeError('Cannot push: this is no queue of openQueue()');
    this.#queue = queue;
    this.#pusher = core.pusher;
  }

  /** Asks the queue for its metrics: to see whether it answers. */
  async metrics(): Promise<void> {
    await this.#queue.metrics({ timeoutMs: 30_000 });
  }

  /**
   * @param signal - ends pushes that are not confirmed yet: it is not known then whether they were carried out
   * @returns for each message why it was not pushed, or `undefined`
   */
  async push<Message extends RawMessage>(
    messages: readonly Message[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<Message, unknown>> {
    const outcomes = new Map<Message, unknown>();
    const sent: Message[] = [];
    const encoded: EncodedMessage[] = [];
    for (const message of messages) {
      try {
        encoded.push({ body: encodeRaw(message) });
        sent.push(message);
      } catch (error) {
        outcomes.set(message, error);
      }
    }
    await pushBatches(encoded, {
      atOnce: requestsAtOnce,
      push: (batch, tell) => this.#pusher.push(batch, tell, signal),
      onOutcome: (index, error) => {
        const message = sent[index];
        if (message !== undefined) outcomes.set(message, error);
      },
    });
    return outcomes;
  }
}
