import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeBody } from '../../src/contract/body.ts';
import { byPlan, type FaultPlan, faultPlan } from './faults.ts';
import { nodeSink, webSink } from './sinks.ts';
import { openTwoQueues } from './two-queues.ts';

interface Plan {
  /** The length of each item's padding, or what can't be pushed. */
  readonly items: ReadonlyArray<number | 'undefined' | 'refused'>;
  /** A pause before each item, over and over, in milliseconds. */
  readonly pauses: readonly number[];
  readonly heedsBackpressure: boolean;
  readonly ordered: boolean;
  readonly lingerMs: number;
  readonly goesOn: boolean;
  readonly faults: FaultPlan;
  /** When it is broken off, in milliseconds. */
  readonly destroyedAt: number;
}

const large = fc.integer({ min: 40_000, max: 127_900 });

const item = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 0, max: 20 }) },
  { weight: 2, arbitrary: large },
  { weight: 1, arbitrary: fc.constantFrom('undefined' as const, 'refused' as const) },
);

/** Many, for several requests at once. */
const many = fc.array(
  fc.oneof({ weight: 60, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.constant('refused' as const) }),
  { minLength: 95, maxLength: 1_210 },
);

const plans: fc.Arbitrary<Plan> = fc.record({
  items: fc.oneof(fc.array(item, { maxLength: 40 }), fc.array(large, { maxLength: 12 }), many),
  pauses: fc.array(fc.constantFrom(0, 0, 0, 1, 7), { minLength: 1, maxLength: 5 }),
  heedsBackpressure: fc.boolean(),
  ordered: fc.boolean(),
  lingerMs: fc.constantFrom(0, 5, 50),
  goesOn: fc.boolean(),
  faults: faultPlan,
  destroyedAt: fc.oneof({ weight: 3, arbitrary: fc.constant(Infinity) }, fc.integer({ min: 0, max: 200 })),
});

const none: FaultPlan = { push: [], pull: [], ack: [] };

/** Bytes as the service counts them, with what it adds to each message. */
function weightOf(body: unknown): number {
  return encodeBody(body).bytes + 100;
}

function isBad(body: unknown): boolean {
  return body === 'undefined' || (body as { padding?: unknown }).padding === 'refused';
}

describe.each([nodeSink, webSink])('$name', (sink) => {
  async function check(plan: Plan): Promise<void> {
    const queues = openTwoQueues();
    queues.outCalls.faults = byPlan(plan.faults);
    queues.outCalls.refuses = ({ body }) => encodeBody(body).text.includes('"refused"');
    const { ordered, lingerMs } = plan;
    const rejected: unknown[] = [];
    const writer = sink.open(
      queues.out,
      plan.goesOn ? { ordered, lingerMs, onRejected: (body) => void rejected.push(body) } : { ordered, lingerMs },
    );
    const confirmed: number[] = [];
    const good = new Set<number>();
    let isOver = false;
    const write = async (): Promise<void> => {
      for (const [id, kind] of plan.items.entries()) {
        const pauseMs = plan.pauses[id % plan.pauses.length] ?? 0;
        if (pauseMs > 0) await queues.wait(pauseMs);
        if (typeof kind === 'number') good.add(id);
        const body = kind === 'undefined' ? undefined : { id, padding: kind === 'refused' ? kind : 'x'.repeat(kind) };
        void writer.write(body).then(
          () => confirmed.push(id),
          () => undefined,
        );
        if (plan.heedsBackpressure && writer.isFull()) await writer.ready();
      }
      await writer.close();
    };
    const writing = write()
      .catch(() => undefined)
      .finally(() => {
        isOver = true;
      });
    if (plan.destroyedAt !== Infinity) {
      await queues.clock.advance(plan.destroyedAt);
      if (!isOver) await queues.run(writer.destroy(new Error('enough')).catch(() => undefined));
    }
    await queues.clock.advance(120_000);
    await writing;
    queues.expectGone();

    const pushed = queues.broker.inspect('out').messages.map(({ body }) => (body as { id: number }).id);
    const isFaultFree = plan.faults.push.every((fault) => fault === undefined);
    // At least once, and exactly once when nothing failed.
    for (const id of confirmed) if (good.has(id)) expect(pushed).toContain(id);
    if (isFaultFree) expect(new Set(pushed).size).toBe(pushed.length);
    if (plan.destroyedAt === Infinity && plan.goesOn) expect(new Set(pushed)).toEqual(good);
    // Rejected is what can't be pushed, and nothing else.
    for (const body of rejected) expect(body ?? 'undefined').toEqual(expect.toSatisfy(isBad));
    // Within the limits.
    for (const { messages } of queues.outCalls.of('push')) {
      expect(messages.length).toBeLessThanOrEqual(100);
      expect(messages.reduce((sum, { body }) => sum + weightOf(body), 0)).toBeLessThanOrEqual(256_000);
    }
    expect(queues.outCalls.mostPushes).toBeLessThanOrEqual(plan.ordered ? 1 : 4);
    // In order, each where it came first.
    if (plan.ordered) {
      const firsts = [...new Set(pushed)];
      expect(firsts).toEqual(firsts.toSorted((one, other) => one - other));
    }
  }

  it('keeps invariant 10 whatever is written and whatever fails', async () => {
    await fc.assert(fc.asyncProperty(plans, check), { numRuns: 120 });
  }, 60_000);

  it('keeps invariant 10 when nothing fails', async () => {
    await fc.assert(
      fc.asyncProperty(plans, (plan) => check({ ...plan, faults: none })),
      { numRuns: 60 },
    );
  }, 60_000);
});
