import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../../src/broker.ts';
import { type OpenQueue, openQueue } from './open-queue.ts';
import { QueueModel } from './queue-model.ts';

type Command =
  | { readonly type: 'push'; readonly delaySeconds: number }
  | { readonly type: 'pull'; readonly count: number; readonly timeoutMs: number }
  | { readonly type: 'ack'; readonly which: number }
  | { readonly type: 'retry'; readonly which: number; readonly delaySeconds: number }
  | { readonly type: 'wait'; readonly ms: number };

// Times are multiples of half a second, so that everything often falls on the same instant.
const ms = fc.integer({ min: 0, max: 8 }).map((halves) => halves * 500);
const which = fc.nat(20);

const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ type: fc.constant('push' as const), delaySeconds: fc.constantFrom(0, 0, 1, 3) }),
  fc.record({
    type: fc.constant('pull' as const),
    count: fc.integer({ min: 1, max: 3 }),
    timeoutMs: ms.map((t) => t + 500),
  }),
  fc.record({ type: fc.constant('ack' as const), which }),
  fc.record({ type: fc.constant('retry' as const), which, delaySeconds: fc.constantFrom(0, 1, 2) }),
  fc.record({ type: fc.constant('wait' as const), ms: fc.oneof(ms, ms, ms, fc.constant(30_000)) }),
);

const anyRules = fc.record({
  maxRetries: fc.integer({ min: 0, max: 3 }),
  retentionMs: fc.constant(60_000),
  deadLetters: fc.boolean(),
  lateRetry: fc.constantFrom('ignore' as const, 'honour' as const),
  retryDelayMs: fc.constantFrom(0, 1_000, 2_000),
  expiredLeases: fc.constantFrom('retry-delay' as const, 'at-once' as const),
});

function run(command: Command, { queue, clock, push }: OpenQueue, model: QueueModel, leases: string[]): void {
  // Moved without turns of the event loop: the queue has no timers.
  if (command.type === 'wait') clock.suspend(command.ms);
  const now = clock.now();
  model.elapse(now);
  switch (command.type) {
    case 'push':
      model.push(push('x', command.delaySeconds), now, command.delaySeconds * 1000);
      break;
    case 'pull': {
      const expected = model.visible(now, command.count);
      const delivered = queue.pull(command.count, command.timeoutMs);
      expect(delivered.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
      expected.forEach((message, index) => {
        const leaseId = delivered[index]?.leaseId ?? '';
        leases.push(leaseId);
        model.lease(message, leaseId, now + command.timeoutMs);
        expect(delivered[index]?.attempts).toBe(message.attempts);
      });
      break;
    }
    case 'ack': {
      const leaseId = leases[command.which % leases.length] ?? 'none';
      expect(queue.ack(leaseId) === undefined).toBe(model.ack(leaseId));
      break;
    }
    case 'retry': {
      const leaseId = leases[command.which % leases.length] ?? 'none';
      const counted = queue.retry(leaseId, command.delaySeconds) === undefined;
      expect(counted).toBe(model.retry(leaseId, now, command.delaySeconds * 1000));
      break;
    }
    case 'wait':
  }
}

/** How often the journal tells of each thing. */
function told(journal: readonly JournalEntry[]): Readonly<Record<JournalEntry['type'], number>> {
  const counts = { pushed: 0, delivered: 0, acked: 0, retried: 0, expired: 0, deadLettered: 0, removed: 0 };
  for (const { type, queue } of journal) if (queue === 'jobs') counts[type] += 1;
  return counts;
}

function compare(open: OpenQueue, model: QueueModel): void {
  const here = model.messages.filter(({ place }) => place === 'waiting' || place === 'leased');
  const snapshot = open.inspect();
  expect(snapshot.messages.map(({ id, attempts, visibleAtMs }) => ({ id, attempts, visibleAtMs }))).toEqual(
    here.map(({ id, attempts, dueAt }) => ({ id, attempts, visibleAtMs: dueAt })),
  );
  expect(snapshot.counts.leased).toBe(here.filter(({ place }) => place === 'leased').length);
  const { inFlight, backlogCount, tally } = open.queue.count();
  expect([backlogCount, inFlight]).toEqual([here.length, snapshot.counts.leased]);
  expect(tally).toEqual(told(open.journal));
  expect(open.queue.metrics().backlogCount).toBe(here.length);
}

/** Where the journal says that each message is. */
function replay(journal: readonly JournalEntry[]): Map<string, string> {
  const places = new Map<string, string>();
  const move = (entry: JournalEntry, from: readonly (string | undefined)[], to: string): void => {
    expect(from).toContain(places.get(entry.messageId));
    places.set(entry.messageId, to);
  };
  for (const entry of journal) {
    if (entry.type === 'pushed') move(entry, [undefined], 'waiting');
    else if (entry.type === 'delivered') move(entry, ['waiting'], 'leased');
    else if (entry.type === 'acked') move(entry, entry.late ? ['waiting', 'leased'] : ['leased'], 'acked');
    else if (entry.type === 'retried') move(entry, entry.late ? ['waiting', 'leased'] : ['leased'], 'waiting');
    else if (entry.type === 'expired') move(entry, ['leased'], 'waiting');
    else if (entry.type === 'deadLettered') move(entry, ['waiting'], 'dead');
    else move(entry, ['waiting', 'leased'], 'removed');
  }
  return places;
}

describe('MessageQueue', () => {
  it('behaves as its naive model under every sequence of commands', () => {
    fc.assert(
      fc.property(anyRules, fc.array(anyCommand, { maxLength: 60, size: 'max' }), (rules, commands) => {
        const { maxRetries, deadLetters, lateRetry, expiredLeases, retryDelayMs } = rules;
        const settings = { maxRetries, retentionSeconds: 60, retryDelaySeconds: retryDelayMs / 1000 };
        const open = openQueue(deadLetters ? { ...settings, deadLetterQueue: 'dead' } : settings, {
          lateRetry,
          expiredLeases,
        });
        const model = new QueueModel(rules);
        const leases: string[] = [];
        for (const each of commands) {
          run(each, open, model, leases);
          compare(open, model);
        }
        // Every message that was pushed is in exactly one place, and the journal knows which.
        const places = new Map(model.messages.map(({ id, place }) => [id, place]));
        expect(replay(open.journal)).toEqual(places);
        // (The dead letter queue keeps its messages for four days, which no run lasts.)
        const expectedDead = model.messages.filter(({ place }) => place === 'dead').map(({ id }) => id);
        const dead = deadLetters ? open.inspect('dead').messages.map(({ id }) => id) : [];
        expect(dead.toSorted()).toEqual(expectedDead.toSorted());
      }),
      { numRuns: 400 },
    );
  });
});
