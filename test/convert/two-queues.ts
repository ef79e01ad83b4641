import { expect } from 'vitest';
import { type Broker, createBroker, type JournalEntry, ManualClock, type QueueSettings } from '../../src/broker.ts';
import { delay } from '../../src/contract/delay.ts';
import { openQueue, type Queue } from '../../src/index.ts';
import { WatchedTransport } from './watched-transport.ts';

/** A queue to read from, `jobs`, and one to write to, `out`, on a manual clock. */
export interface TwoQueues {
  readonly clock: ManualClock;
  readonly broker: Broker;
  readonly journal: readonly JournalEntry[];
  readonly jobs: Queue;
  readonly out: Queue;
  readonly jobsCalls: WatchedTransport;
  readonly outCalls: WatchedTransport;
  /** The most messages of `jobs` that were leased at once. */
  mostLeased(): number;
  /** Fills `jobs` past its handle: bodies 0, 1, 2, … */
  fill(count: number): void;
  /** The bodies of a queue, in order of arrival. */
  bodies(name: 'jobs' | 'out'): unknown[];
  /** Entries of the journal about one queue. */
  entries<Type extends JournalEntry['type']>(
    type: Type,
    queue?: 'jobs' | 'out',
  ): Array<Extract<JournalEntry, { type: Type }>>;
  /** Resolves when the clock has moved so far. */
  wait(ms: number): Promise<void>;
  /** Moves the clock until the promise settles. */
  run<Value>(promise: PromiseLike<Value>): Promise<Value>;
  /** No request is under way and no timer is set. */
  expectGone(): void;
}

export function openTwoQueues(settings: QueueSettings = {}): TwoQueues {
  const clock = new ManualClock({ now: 1_000_000 });
  const journal: JournalEntry[] = [];
  const leased = new Set<string>();
  let mostLeased = 0;
  const broker = createBroker({
    clock,
    leastVisibilityTimeoutMs: 1,
    queues: { jobs: { maxRetries: 100, ...settings }, out: {} },
    onJournal: (entry) => {
      journal.push(entry);
      if (entry.queue !== 'jobs') return;
      if (entry.type === 'delivered') leased.add(entry.messageId);
      if (['acked', 'retried', 'expired', 'removed'].includes(entry.type)) leased.delete(entry.messageId);
      mostLeased = Math.max(mostLeased, leased.size);
    },
  });
  const jobsCalls = new WatchedTransport(broker.transport('jobs'), clock);
  const outCalls = new WatchedTransport(broker.transport('out'), clock);
  const random = (): number => 0.5;
  return {
    clock,
    broker,
    journal,
    jobs: openQueue({ transport: jobsCalls, clock, random }),
    out: openQueue({ transport: outCalls, clock, random }),
    jobsCalls,
    outCalls,
    mostLeased: () => mostLeased,
    fill: (count) => {
      for (let body = 0; body < count; body += 1) broker.push('jobs', { body });
    },
    bodies: (name) => broker.inspect(name).messages.map(({ body }) => body),
    entries: <Type extends JournalEntry['type']>(type: Type, queue: 'jobs' | 'out' = 'jobs') =>
      journal.filter(
        (entry): entry is Extract<JournalEntry, { type: Type }> => entry.type === type && entry.queue === queue,
      ),
    wait: (ms) => delay(undefined, clock, ms),
    run: (promise) => clock.runUntil(promise),
    expectGone: () => {
      expect(jobsCalls.underWay + outCalls.underWay).toBe(0);
      expect(clock.pendingTimers).toBe(0);
    },
  };
}
