import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { client, schedule } from './fixed-schedule.ts';
import type { Ledger } from './ledger.ts';
import { surfaceNames } from './surfaces.ts';
import { tally } from './tally.ts';

vi.setConfig({ testTimeout: 120_000 });

/** The longest that a settlement waits for company, in milliseconds. */
const lingerMs = 5;

const each = <Item>(count: number, item: Item): Item[] => Array.from({ length: count }, () => item);

describe('a lease of 2 s, handlers of 50 ms, two loops, 300 messages', () => {
  it('repeats none and takes no more than 1.05 of the ideal time', async () => {
    const clients = each(2, client('for await', { shape: 'constant', ms: 50 }));
    const { deliveries, acked, wallMs } = await tally(schedule({ messages: 300, clients }));
    expect({ deliveries, acked }).toEqual({ deliveries: 300, acked: 300 });
    expect(wallMs).toBeLessThanOrEqual(1.05 * 7_500);
  });
});

describe('handlers that take 200 ms instead of 5 ms from the middle on', () => {
  it('repeats at most 1 % and brings no message to its last attempt unseen', async () => {
    const clients = each(2, client('for await', { shape: 'jump', ms: 5, until: 75, laterMs: 200 }));
    const { deliveries, repeats, acked, lastAttemptUnseen } = await tally(schedule({ messages: 300, clients }));
    expect(acked).toBe(300);
    expect(repeats).toBeLessThanOrEqual(3);
    expect(deliveries).toBeLessThanOrEqual(1.3 * 300);
    expect(lastAttemptUnseen).toBe(0);
  });
});

describe('handlers that take longer than the lease', () => {
  it.each([1.1, 1.5, 2, 2.5, 3])('acks every message in the end, with handlers of %s leases', async (leases) => {
    const clients = [client('for await', { shape: 'constant', ms: leases * 2_000 })];
    const { acked, gone } = await tally(schedule({ messages: 5, clients }));
    expect({ acked, gone }).toEqual({ acked: 5, gone: 0 });
  });
});

describe('20 % of all calls failing, half of them after they took effect', () => {
  it('handles and acks all of 5 000 messages', async () => {
    const clients = each(4, client('for await', { shape: 'constant', ms: 2 }));
    const plan = schedule({ messages: 5_000, clients, maxRetries: 50, failureRate: 0.2, visibilityTimeoutMs: 30_000 });
    const { acked, ledger } = await tally(plan);
    expect(acked).toBe(5_000);
    expect([...ledger.messages.keys()].every((id) => ledger.startsOf(id).length > 0)).toBe(true);
  });
});

describe('answers as slow as the lease and slower', () => {
  it.each([0.9, 1.1, 3])('handles every message, with answers that take %s leases', async (leases) => {
    const clients = [client('for await', { shape: 'constant', ms: 5 })];
    const downMs = leases * 2_000 - 1;
    const down = { leastMs: downMs, mostMs: downMs };
    const { acked, gone } = await tally(schedule({ messages: 10, clients, down }));
    expect({ acked, gone }).toEqual({ acked: 10, gone: 0 });
  });

  it('handles a single message, with answers that take 9 leases', async () => {
    const clients = [client('for await', { shape: 'constant', ms: 5 })];
    const down = { leastMs: 17_999, mostMs: 17_999 };
    const { acked, gone } = await tally(schedule({ messages: 1, clients, down }));
    expect({ acked, gone }).toEqual({ acked: 1, gone: 0 });
  });
});

describe('one handler in 40 takes 1.5 leases, four consumers, 1 000 messages', () => {
  it.each(['for await', 'process'] as const)('dead-letters at most one in 1 000 unseen, with %s', async (surface) => {
    const seeds = Array.from({ length: 10 }, (_, index) => index + 1);
    let goneUnseen = 0;
    for (const seed of seeds) {
      const clients = each(4, client(surface, { shape: 'bimodal', ms: 50, slowMs: 3_000, oneIn: 40 }));
      const result = await tally(schedule({ seed, messages: 1_000, clients }));
      goneUnseen += result.goneUnseen;
    }
    expect(goneUnseen).toBeLessThanOrEqual(seeds.length);
  });
});

describe('four loops of 5, 10, 20 and 1 000 ms that share 10 000 messages', () => {
  it('takes at most 1.1 of the ideal time, and the slowest holds no more than 1.5 s of work', async () => {
    const times = [5, 10, 20, 1_000];
    const clients = times.map((ms) => client('for await', { shape: 'constant', ms }));
    const { acked, wallMs, ledger } = await tally(schedule({ messages: 10_000, clients, visibilityTimeoutMs: 30_000 }));
    const idealMs = 10_000 / times.reduce((rate, ms) => rate + 1 / ms, 0);
    expect(acked).toBe(10_000);
    expect(wallMs).toBeLessThanOrEqual(1.1 * idealMs);
    expect(mostUnstarted(ledger, 3) * 1_000).toBeLessThanOrEqual(1_500);
  });
});

/** The most messages that a client had in its answers and not yet started. */
function mostUnstarted(ledger: Ledger, number: number): number {
  const changes = ledger.callsBy(number, 'pull').map((call) => ({ seq: call.endedSeq, by: call.received.length }));
  for (const start of ledger.startsBy(number)) changes.push({ seq: start.seq, by: -1 });
  let held = 0;
  let most = 0;
  for (const { by } of changes.toSorted((a, b) => a.seq - b.seq)) {
    held += by;
    most = Math.max(most, held);
  }
  return most;
}

describe('consumers that stop when the queue is empty, and no fault', () => {
  it('end by themselves, with everything acked', async () => {
    const plans = fc
      .record({
        surface: fc.constantFrom(...surfaceNames),
        count: fc.integer({ min: 1, max: 3 }),
        ms: fc.constantFrom(0, 5, 100, 600),
        oneWayMs: fc.constantFrom(0, 1, 20, 100),
        messages: fc.integer({ min: 0, max: 30 }),
        stopWhenEmpty: fc.constantFrom(true as const, { forMs: 0 }, { forMs: 1_000 }, { forMs: 30_000 }),
        seed: fc.nat(),
      })
      .map(({ surface, count, ms, oneWayMs, messages, stopWhenEmpty, seed }) =>
        schedule({
          seed,
          messages,
          up: { leastMs: oneWayMs, mostMs: oneWayMs },
          down: { leastMs: oneWayMs, mostMs: oneWayMs },
          clients: each(count, client(surface, { shape: 'constant', ms }, { stopWhenEmpty })),
          endsWhenEmpty: false,
        }),
      );
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const { acked, ledger } = await tally(plan);
        expect(acked).toBe(plan.messages);
        expect(ledger.run.clients.map(({ summary }) => summary?.reason)).toEqual(plan.clients.map(() => 'empty'));
      }),
      { numRuns: 100 },
    );
  });
});

describe('constant handlers shorter than the lease, and no fault', () => {
  it('delivers nothing that is not started', async () => {
    const plans = fc
      .record({
        visibilityTimeoutMs: fc.constantFrom(1_000, 2_000, 30_000),
        count: fc.integer({ min: 1, max: 4 }),
        percent: fc.integer({ min: 0, max: 99 }),
        surface: fc.constantFrom('for await' as const, 'process' as const),
        oneWayMs: fc.constantFrom(0, 1, 10, 50, 100, 200),
        messages: fc.integer({ min: 1, max: 60 }),
        seed: fc.nat(),
      })
      // An ack that can't arrive before the lease ends is too late whatever anybody does.
      .filter(
        ({ visibilityTimeoutMs, percent, oneWayMs }) =>
          (visibilityTimeoutMs * percent) / 100 + 2 * oneWayMs + lingerMs < visibilityTimeoutMs,
      )
      .map(({ visibilityTimeoutMs, count, percent, oneWayMs, surface, messages, seed }) =>
        schedule({
          seed,
          visibilityTimeoutMs,
          messages,
          up: { leastMs: oneWayMs, mostMs: oneWayMs },
          down: { leastMs: oneWayMs, mostMs: oneWayMs },
          clients: each(
            count,
            client(surface, { shape: 'constant', ms: Math.round((visibilityTimeoutMs * percent) / 100) }),
          ),
        }),
      );
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const { deliveries, acked, ledger } = await tally(plan);
        expect({ deliveries, acked }).toEqual({ deliveries: ledger.run.log.starts.length, acked: plan.messages });
      }),
      { numRuns: 300 },
    );
  });
});
