import { expect } from 'vitest';
import { judgeAll } from './invariants.ts';
import { Ledger } from './ledger.ts';
import type { Schedule } from './schedule.ts';
import { runWorld } from './world.ts';

/** What a run cost and where its messages ended. */
export interface Tally {
  readonly deliveries: number;
  /** Handlers started for a message that one had been started for before. */
  readonly repeats: number;
  readonly acked: number;
  readonly gone: number;
  /** In the dead letter queue, or deleted, and no handler ever started it. */
  readonly goneUnseen: number;
  /** On their last attempt when a handler first started them. */
  readonly lastAttemptUnseen: number;
  /** From the beginning to the last settlement. */
  readonly wallMs: number;
  readonly ledger: Ledger;
}

/** Runs a schedule, expects it to violate no invariant, and counts. */
export async function tally(plan: Schedule): Promise<Tally> {
  const run = await runWorld(plan);
  const ledger = new Ledger(run);
  expect(judgeAll(ledger)).toEqual([]);
  const messages = [...ledger.messages.values()];
  const deliveries = messages.reduce((sum, message) => sum + message.deliveries.length, 0);
  const gone = messages.filter(({ place }) => place === 'removed' || place === 'dead-letter-queue');
  const settled = run.journal.filter((entry) => entry.type === 'acked').map((entry) => entry.at);
  return {
    deliveries,
    repeats: run.log.starts.length - new Set(run.log.starts.map((start) => start.messageId)).size,
    acked: messages.filter(({ place }) => place === 'acked').length,
    gone: gone.length,
    goneUnseen: gone.filter(({ id }) => ledger.startsOf(id).length === 0).length,
    lastAttemptUnseen: messages.filter(({ id }) => (ledger.startsOf(id)[0]?.attempts ?? 0) > plan.maxRetries).length,
    wallMs: settled.reduce((last, at) => Math.max(last, at), run.startedAt) - run.startedAt,
    ledger,
  };
}
