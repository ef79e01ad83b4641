import type { Behaviour } from '../behaviour.ts';
import type { MessageStore } from './message-store.ts';
import type { StoredMessage } from './stored-message.ts';

/** What a pull asks for, and how the broker shall behave. */
export interface Choice {
  readonly now: number;
  /** At most how many. */
  readonly count: number;
  readonly behaviour: Behaviour;
  readonly random: () => number;
}

/** The messages that a pull takes, one after the other: each must be leased before the next is asked for. */
export interface ChosenMessages {
  next(): StoredMessage | undefined;
}

// From so many times the messages asked for a shuffled pull draws its own: enough to look like chance.
const shuffledWindow = 4;

/** Chooses among the visible messages of a store those that a pull brings. */
export function chooseMessages(store: MessageStore, choice: Choice): ChosenMessages {
  const count = countOf(choice);
  return choice.behaviour.order === 'shuffled' ? drawn(store, choice, count) : oldest(store, choice.now, count);
}

/** How many messages a pull brings at most: sometimes fewer than it asked for. */
function countOf({ count, behaviour, random }: Choice): number {
  if (count < 2 || behaviour.partialPulls === 0 || random() >= behaviour.partialPulls) return count;
  return 1 + Math.floor(random() * (count - 1));
}

function oldest(store: MessageStore, now: number, count: number): ChosenMessages {
  let left = count;
  return {
    next: () => {
      const message = left > 0 ? store.nextVisible : undefined;
      if (message === undefined || message.dueAt > now) return undefined;
      left -= 1;
      return message;
    },
  };
}

function drawn(store: MessageStore, { now, random }: Choice, count: number): ChosenMessages {
  const window: StoredMessage[] = [];
  for (const message of store.waiting()) {
    if (message.dueAt > now || window.length >= count * shuffledWindow) break;
    window.push(message);
  }
  let left = count;
  return {
    next: () => {
      if (left === 0) return undefined;
      left -= 1;
      const [message] = window.splice(Math.floor(random() * window.length), 1);
      return message;
    },
  };
}
