import type { StoredMessage } from './stored-message.ts';

/**
 * Messages in the order in which they arrived: the oldest one, and taking out any, in O(1). A `Map` would have to step
 * over the holes of all that were taken from its front.
 *
 * The order is that of `add()`. Dead letters that were noticed late may so stand behind younger ones, and their
 * retention then ends with that of the message before them.
 */
export class ArrivalList {
  oldest: StoredMessage | undefined = undefined;
  #newest: StoredMessage | undefined = undefined;

  add(message: StoredMessage): void {
    message.older = this.#newest;
    if (this.#newest === undefined) this.oldest = message;
    else this.#newest.newer = message;
    this.#newest = message;
  }

  remove(message: StoredMessage): void {
    if (message.older === undefined) this.oldest = message.newer;
    else message.older.newer = message.newer;
    if (message.newer === undefined) this.#newest = message.older;
    else message.newer.older = message.older;
    message.older = undefined;
    message.newer = undefined;
  }

  *[Symbol.iterator](): Generator<StoredMessage, void, undefined> {
    for (let message = this.oldest; message !== undefined; message = message.newer) yield message;
  }
}
