import type { JournalEntry, JournalEntryBase, JournalListener } from './journal.ts';
import { newTally, type Tally } from './tally.ts';

type WithoutBase<Entry> = Entry extends JournalEntryBase ? Omit<Entry, keyof JournalEntryBase> : never;

/** What a journal entry tells of one kind of thing alone. */
type QueueEvent = WithoutBase<JournalEntry>;

/** What happened to the messages of a queue: counted, and told to the journal if there is one. */
export class QueueHistory {
  readonly #tally = newTally();
  readonly #queue: { readonly name: string };
  readonly #onJournal: JournalListener | undefined;

  constructor(queue: { readonly name: string }, onJournal: JournalListener | undefined) {
    this.#queue = queue;
    this.#onJournal = onJournal;
  }

  /** How often each thing happened until now. */
  tally(): Readonly<Tally> {
    return { ...this.#tally };
  }

  /** Records one thing that happened to a message. */
  record(messageId: string, at: number, event: QueueEvent): void {
    this.#tally[event.type] += 1;
    this.#onJournal?.({ queue: this.#queue.name, at, messageId, ...event });
  }
}
