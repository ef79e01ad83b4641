import { copyWith } from '../../contract/copy-with.ts';
import { noToken } from './identities.ts';
import type { QueueParts } from './queue-parts.ts';
import { removeMessage } from './remove-message.ts';
import { type MessageView, viewOf } from './stored-message.ts';

/** A message as a peek shows it. */
export interface PeekedEntry extends MessageView {
  readonly ref: string;
}

/** Shows messages, and removes them by what it named them. */
export class MessageRefs {
  readonly #parts: QueueParts;

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  peek(count: number, now: number): PeekedEntry[] {
    const { context, store } = this.#parts;
    const { identities } = context;
    const peeked: PeekedEntry[] = [];
    for (const message of store.waiting()) {
      if (message.dueAt > now || peeked.length >= count) break;
      if (message.ref === noToken) store.nameByRef(message, identities.token());
      peeked.push(copyWith(viewOf(message), { ref: identities.ref(message.ref) }));
    }
    return peeked;
  }

  /** @returns whether there was such a message */
  purge(ref: string, now: number): boolean {
    const message = this.#parts.store.withRef(this.#parts.context.identities.refToken(ref));
    if (message !== undefined) removeMessage(this.#parts, message, { at: now, reason: 'purge' });
    return message !== undefined;
  }
}
