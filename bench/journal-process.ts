// The broker in a process of its own, and what its journal says: a reader that computes must not hold up the service too.
// Spoken to by messages of its parent: opens a queue with so many messages, or tells what became of them.
import { createBroker, type JournalEntry } from '../src/broker.ts';
import { listen } from '../src/broker/http/listen.ts';
import { handlerOf } from '../src/broker/in-memory-broker.ts';

/** Opens a queue of this name, or with `messages` 0 tells what its journal says. */
export interface JournalRequest {
  readonly name: string;
  readonly messages: number;
  readonly maxRetries: number;
}

/** What the journal says of a queue. */
export interface JournalTally {
  readonly deliveries: number;
  /** The ids of messages that were removed because their attempts were used up. */
  readonly removed: readonly string[];
}

let journal: JournalEntry[] = [];
let broker = createBroker();
const { origin } = await listen((request) => handlerOf(broker)(request));

process.on('message', ({ name, messages, maxRetries }: JournalRequest) => {
  if (messages === 0) {
    const removed = journal.filter(({ type }) => type === 'removed').map(({ messageId }) => messageId);
    const deliveries = journal.filter(({ type }) => type === 'delivered').length;
    process.send?.({ deliveries, removed } satisfies JournalTally);
    return;
  }
  const entries: JournalEntry[] = [];
  journal = entries;
  broker = createBroker({ onJournal: (entry) => void entries.push(entry) });
  const { accountId, queueId, apiToken } = broker.queue(name, { maxRetries });
  for (let body = 0; body < messages; body += 1) broker.push(name, { body });
  process.send?.({ accountId, queueId, apiToken, baseUrl: `${origin}/client/v4` });
});
