import { ManualClock } from '../../../src/broker.ts';
import type { JournalEntry } from '../../../src/broker.ts';
import { type Behaviour, defaultBehaviour } from '../../../src/broker/behaviour.ts';
import { textBody } from '../../../src/broker/queue/body-codec.ts';
import type { DeliveredMessage } from '../../../src/broker/queue/deliveries.ts';
import { Identities } from '../../../src/broker/queue/identities.ts';
import type { MessageQueue } from '../../../src/broker/queue/queue.ts';
import { QueueRegistry } from '../../../src/broker/queue/queue-registry.ts';
import type { QueueSettings } from '../../../src/broker/queue/settings.ts';
import { type QueueSnapshot, snapshotOf } from '../../../src/broker/queue/snapshot.ts';

/** A queue named `jobs` on a clock that starts at 0, and what a test needs to look into it. */
export interface OpenQueue {
  readonly clock: ManualClock;
  readonly queue: MessageQueue;
  readonly queues: QueueRegistry;
  readonly journal: JournalEntry[];
  push(text: string, delaySeconds?: number): string;
  /** Pulls one message, which must be there. */
  pullOne(visibilityTimeoutMs?: number): DeliveredMessage;
  inspect(name?: string): QueueSnapshot;
  /** The bodies that a pull of 100 gives. */
  pullTexts(visibilityTimeoutMs?: number): string[];
}

export function openQueue(settings: QueueSettings = {}, changed: Partial<Behaviour> = {}): OpenQueue {
  const clock = new ManualClock({ now: 0 });
  const journal: JournalEntry[] = [];
  const onJournal = (entry: JournalEntry): void => void journal.push(entry);
  const behaviour = { ...defaultBehaviour, ...changed };
  const identities = new Identities(Math.random);
  const repeats = (): boolean => false;
  const queues = new QueueRegistry({ clock, random: Math.random, repeats, identities, behaviour, onJournal });
  const queue = queues.open('jobs', settings);
  const named = (name: string): MessageQueue => {
    const found = queues.byName(name);
    if (found === undefined) throw new Error(`no queue ${name}`);
    return found;
  };
  return {
    clock,
    queue,
    queues,
    journal,
    push: (text, delaySeconds) => queue.push(textBody(text), delaySeconds),
    pullOne: (visibilityTimeoutMs) => {
      const [message] = queue.pull(1, visibilityTimeoutMs);
      if (message === undefined) throw new Error('nothing to pull');
      return message;
    },
    inspect: (name = 'jobs') => snapshotOf(named(name), clock.now()),
    pullTexts: (visibilityTimeoutMs) => queue.pull(100, visibilityTimeoutMs).map((message) => message.body.text),
  };
}
