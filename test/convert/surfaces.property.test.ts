import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LeasedMessage } from '../../src/index.ts';
import { byPlan, type FaultPlan, faultPlan } from './faults.ts';
import { surfaces } from './surfaces.ts';
import { openTwoQueues } from './two-queues.ts';

const leaseMs = 1_000;

/** What is done with a message, and after how long. */
interface Deed {
  readonly afterMs: number;
  readonly does: 'ack' | 'retry' | 'forget' | 'both';
}

interface Plan {
  readonly messages: number;
  readonly maxInFlight: number;
  readonly minInFlight: number;
  readonly latencyMs: number;
  /** By the number of the delivery, over and over. */
  readonly deeds: readonly Deed[];
  readonly faults: FaultPlan;
  /** When the reader goes away, in milliseconds. */
  readonly leavesAt: number;
}

const deed: fc.Arbitrary<Deed> = fc.record({
  // Around the margin and the end of a lease, and short.
  afterMs: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 940, max: 1_010 })),
  does: fc.constantFrom('ack', 'ack', 'ack', 'retry', 'forget', 'both'),
});

const plans: fc.Arbitrary<Plan> = fc.record({
  messages: fc.integer({ min: 0, max: 40 }),
  maxInFlight: fc.integer({ min: 3, max: 12 }),
  minInFlight: fc.integer({ min: 1, max: 3 }),
  latencyMs: fc.constantFrom(0, 5, 40),
  deeds: fc.array(deed, { minLength: 1, maxLength: 6 }),
  faults: faultPlan,
  leavesAt: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 8_000 })),
});

describe.each(surfaces)('$name', (surface) => {
  it('keeps the invariants 1, 2, 3, 4 and 7 whatever its reader does and whatever fails', async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const queues = openTwoQueues();
        queues.jobsCalls.latencyMs = plan.latencyMs;
        queues.jobsCalls.faults = byPlan(plan.faults);
        queues.fill(plan.messages);
        const acksByHand = new Set<string>();
        const inHand = new Set<LeasedMessage>();
        const broken: string[] = [];
        let starts = 0;
        let ends = 0;
        const take = async (message: LeasedMessage): Promise<void> => {
          if (message.leaseRemainingMs < leaseMs / 20)
            broken.push(`3: handed out with ${message.leaseRemainingMs} ms left`);
          for (const other of inHand) if (other.leaseRemainingMs <= 0) inHand.delete(other);
          inHand.add(message);
          if (inHand.size > plan.maxInFlight) broken.push(`4: ${inHand.size} in flight`);
          const { afterMs, does } = plan.deeds[starts % plan.deeds.length]!;
          starts += 1;
          await queues.wait(afterMs);
          inHand.delete(message);
          ends += 1;
          if (does === 'ack' || does === 'both') {
            acksByHand.add(message.id);
            void message.ack();
          }
          if (does === 'retry' || does === 'both') void message.retry({ delaySeconds: 1 });
        };
        const { maxInFlight, minInFlight } = plan;
        const options = {
          visibilityTimeoutMs: leaseMs,
          maxInFlight,
          minInFlight,
          maxRetries: 100,
          onEvent: () => undefined,
        };
        const reader = surface.read(queues.jobs, options, take);
        await queues.clock.advance(plan.leavesAt);
        const left = reader.leave();
        // What is not settled is waited for until its lease ends, and the last calls are repeated.
        await queues.clock.advance(60_000);
        await left;

        expect(broken).toEqual([]);
        // 7. Nothing is left: no request, no timer, nothing leased.
        queues.expectGone();
        expect(queues.broker.inspect('jobs').counts.leased).toBe(0);
        // 2. Nothing was acknowledged but by hand.
        for (const { messageId } of queues.entries('acked')) expect(acksByHand).toContain(messageId);
        // 1. Everything is acknowledged or still there.
        const acked = new Set(queues.entries('acked').map(({ messageId }) => messageId));
        expect(acked.size + queues.broker.inspect('jobs').counts.total).toBe(plan.messages);
        // 4. What a pull asks for can be started: by idle handlers, or by four times as many as have finished.
        for (const { ask } of queues.jobsCalls.of('pull')) {
          expect(ask).toBeLessThanOrEqual(Math.max(plan.maxInFlight, 4 * Math.max(ends, starts)));
        }
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});
