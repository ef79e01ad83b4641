import { type Broker, createBroker, type JournalEntry, ManualClock, type QueueSettings } from '../../src/broker.ts';
import { delay } from '../../src/contract/delay.ts';
import { openQueue, type Queue, QueueError, type QueueErrorCode, type QueueErrorDetails } from '../../src/index.ts';
import type { HandleOptions } from '../../src/queue/queue-options.ts';
import { ScriptedTransport } from './scripted-transport.ts';

/** A queue named `jobs` of a broker on a manual clock, seen through a handle. */
export interface Jobs<Body> {
  readonly clock: ManualClock;
  readonly broker: Broker;
  readonly transport: ScriptedTransport;
  readonly queue: Queue<Body>;
  readonly journal: JournalEntry[];
  /** Pushes past the handle. */
  push(...bodies: readonly unknown[]): void;
  /** The journal's entries of one kind. */
  entries<Type extends JournalEntry['type']>(type: Type): Array<Extract<JournalEntry, { type: Type }>>;
  /** Resolves when the clock has moved so far. */
  wait(ms: number): Promise<void>;
  /** Moves the clock until the promise settles. */
  run<Value>(promise: PromiseLike<Value>): Promise<Value>;
}

export function openJobs<Body = unknown>(
  settings: QueueSettings = {},
  options: HandleOptions<Body> & { readonly latencyMs?: number } = {},
): Jobs<Body> {
  const clock = new ManualClock({ now: 1_000_000 });
  const journal: JournalEntry[] = [];
  const broker = createBroker({
    clock,
    leastVisibilityTimeoutMs: 1,
    queues: { jobs: settings },
    onJournal: (entry) => void journal.push(entry),
  });
  const transport = new ScriptedTransport(broker.transport('jobs'), clock);
  const { latencyMs = 0, ...handle } = options;
  transport.latencyMs = latencyMs;
  return {
    clock,
    broker,
    transport,
    journal,
    queue: openQueue<Body>({ transport, clock, random: () => 0.5, ...handle }),
    push: (...bodies) => {
      for (const body of bodies) {
        broker.push('jobs', { body });
      }
    },
    entries: <Type extends JournalEntry['type']>(type: Type) =>
      journal.filter((entry): entry is Extract<JournalEntry, { type: Type }> => entry.type === type),
    wait: (ms) => delay(undefined, clock, ms),
    run: (promise) => clock.runUntil(promise),
  };
}

/** An error as a transport gives it. */
export function queueError(code: QueueErrorCode, details: Omit<QueueErrorDetails, 'code'> = {}): QueueError {
  return new QueueError(`It said ${code}`, { code, ...details });
}

/** What a promise rejected with. */
export async function rejection(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not reject');
}

/** A handle of the same queue whose transport heeds neither signals nor time limits: calls end as its script has it. */
export function ignorant<Body>({ broker, clock }: Jobs<Body>): Pick<Jobs<Body>, 'transport' | 'queue'> {
  const transport = new ScriptedTransport(broker.transport('jobs'), clock);
  transport.isDeaf = true;
  return { transport, queue: openQueue<Body>({ transport, clock, random: () => 0.5 }) };
}
