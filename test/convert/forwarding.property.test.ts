import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Consumer, forward, type LeasedMessage } from '../../src/index.ts';
import { toReadable, toWritable } from '../../src/node.ts';
import { toReadableStream, toWritableStream } from '../../src/web.ts';
import type { EncodedBody } from '../../src/contract/body.ts';
import { byPlan, type FaultPlan, faultPlan } from './faults.ts';
import { openTwoQueues, type TwoQueues } from './two-queues.ts';

/** How messages become outputs. */
interface Shape {
  /** How many messages make a group: the nth group takes the nth number, over and over. */
  readonly groupSizes: readonly number[];
  /** How many outputs a group has. */
  readonly outputCounts: readonly number[];
  /** Groups that wait for longer go out unfilled, in milliseconds. */
  readonly patienceMs: number;
}

interface Plan {
  readonly messages: number;
  readonly shape: Shape;
  /** Makes outputs so long that a request takes only two of them. */
  readonly isLong: boolean;
  readonly ordered: boolean;
  readonly lingerMs: number;
  /** Messages whose outputs the service refuses the first time. */
  readonly refused: readonly number[];
  /** A refused output ends the stream, or is given to `onRejected`. */
  readonly fails: boolean;
  readonly jobsFaults: FaultPlan;
  readonly outFaults: FaultPlan;
}

interface Output {
  readonly group: number;
  readonly nth: number;
  readonly refused: boolean;
  readonly padding: string;
}

/** A group that was written. */
interface Group {
  readonly from: readonly string[];
  readonly count: number;
}

const shape: fc.Arbitrary<Shape> = fc.record({
  groupSizes: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 }),
  outputCounts: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 5 }),
  patienceMs: fc.constantFrom(1, 50, 300),
});

const plans: fc.Arbitrary<Plan> = fc.record({
  messages: fc.integer({ min: 1, max: 25 }),
  shape,
  isLong: fc.boolean(),
  ordered: fc.boolean(),
  lingerMs: fc.constantFrom(0, 5, 40),
  refused: fc.uniqueArray(fc.nat(24), { maxLength: 3 }),
  fails: fc.boolean(),
  jobsFaults: faultPlan,
  outFaults: faultPlan,
});

/** Gathers messages into groups; what it emits is to be written to a sink. */
class Grouping {
  readonly #queues: TwoQueues;
  readonly #plan: Plan;
  readonly #groups: Group[];
  readonly #emit: (item: unknown) => void;
  readonly #gathered: LeasedMessage[] = [];

  /** @param groups - takes down each group */
  constructor({ queues, plan, groups }: World, emit: (item: unknown) => void) {
    this.#queues = queues;
    this.#plan = plan;
    this.#groups = groups;
    this.#emit = emit;
  }

  add(message: LeasedMessage): void {
    const { groupSizes, patienceMs } = this.#plan.shape;
    this.#gathered.push(message);
    const group = this.#groups.length;
    if (this.#gathered.length >= (groupSizes[group % groupSizes.length] ?? 1)) this.flush();
    else this.#queues.clock.setTimer(() => this.#groups.length === group && this.flush(), patienceMs);
  }

  flush(): void {
    const messages = this.#gathered.splice(0);
    if (messages.length === 0) return;
    const { outputCounts } = this.#plan.shape;
    const group = this.#groups.length;
    const count = outputCounts[group % outputCounts.length] ?? 1;
    const refused = messages.some(({ body, attempts }) => attempts === 1 && this.#plan.refused.includes(Number(body)));
    const padding = 'x'.repeat(this.#plan.isLong ? 100_000 : 0);
    this.#groups.push({ from: messages.map(({ id }) => id), count });
    this.#emit(
      forward(
        messages,
        Array.from({ length: count }, (_, nth): Output => ({ group, nth, refused, padding })),
      ),
    );
  }
}

interface World {
  readonly queues: TwoQueues;
  readonly plan: Plan;
  readonly groups: Group[];
}

type Run = (world: World, consumer: Consumer) => Promise<unknown>;

const throughNode: Run = (world, consumer) => {
  const grouping = new Grouping(world, (item) => transform.push(item));
  const transform: Transform = new Transform({
    objectMode: true,
    transform: (message: LeasedMessage, _, callback) => {
      grouping.add(message);
      callback();
    },
    flush: (callback) => {
      grouping.flush();
      callback();
    },
  });
  return pipeline(toReadable(consumer), transform, toWritable(world.queues.out, sinkOptions(world.plan)));
};

const throughWeb: Run = (world, consumer) => {
  let grouping: Grouping;
  const transform = new TransformStream<LeasedMessage, unknown>({
    start: (controller) => {
      grouping = new Grouping(world, (item) => {
        try {
          controller.enqueue(item);
        } catch {
          // It has failed meanwhile: a timer was late.
        }
      });
    },
    transform: (message) => grouping.add(message),
    flush: () => grouping.flush(),
  });
  return toReadableStream(consumer)
    .pipeThrough(transform)
    .pipeTo(toWritableStream(world.queues.out, sinkOptions(world.plan)));
};

function sinkOptions({ ordered, lingerMs, fails }: Plan): Parameters<typeof toWritable>[1] {
  return fails ? { ordered, lingerMs } : { ordered, lingerMs, onRejected: () => undefined };
}

/** Runs the stream, again each time that it fails, until the queue is empty. */
async function runToEnd(world: World, run: Run): Promise<void> {
  const { queues } = world;
  for (let time = 0; time < 200 && !queues.broker.isEmpty('jobs'); time += 1) {
    const consumer = queues.jobs.consume({
      visibilityTimeoutMs: 2_000,
      minInFlight: 4,
      maxIdleMs: 1_000,
      onEvent: () => undefined,
    });
    const state = { isOver: false };
    const running = run(world, consumer)
      .catch(() => undefined)
      .finally(() => (state.isOver = true));
    for (let second = 0; second < 600 && !state.isOver && !queues.broker.isEmpty('jobs'); second += 1) {
      await queues.clock.advance(1_000);
    }
    const closed = consumer.close();
    await queues.run(Promise.all([running, closed]));
  }
}

/** When each output was pushed first: by its group and its place there. */
function pushTimes({ queues }: World): ReadonlyMap<string, number> {
  const bodies = new Map(queues.broker.inspect('out').messages.map(({ id, body }) => [id, body as Output]));
  const times = new Map<string, number>();
  for (const { messageId, at } of queues.entries('pushed', 'out')) {
    const { group, nth } = bodies.get(messageId)!;
    if (!times.has(`${group} ${nth}`)) times.set(`${group} ${nth}`, at);
  }
  return times;
}

describe.each([
  ['toReadable → Transform → toWritable', throughNode],
  ['toReadableStream → TransformStream → toWritableStream', throughWeb],
])('%s', (_, run) => {
  it('acknowledges a message only when all that it became is pushed, whatever the shape, the order and the faults', async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const queues = openTwoQueues();
        const world: World = { queues, plan, groups: [] };
        queues.jobsCalls.faults = byPlan(plan.jobsFaults);
        queues.outCalls.faults = byPlan(plan.outFaults);
        queues.outCalls.refuses = ({ body }) => (body as EncodedBody).text.includes('"refused":true');
        queues.fill(plan.messages);
        await runToEnd(world, run);
        const times = pushTimes(world);
        const isPushed = ({ count }: Group, group: number, at: number): boolean =>
          Array.from({ length: count }).every((__, nth) => (times.get(`${group} ${nth}`) ?? Infinity) <= at);
        for (const { messageId, at } of queues.entries('acked')) {
          const groups = world.groups.filter(
            (group, index) => group.from.includes(messageId) && isPushed(group, index, at),
          );
          expect(groups).not.toEqual([]);
        }
        expect(queues.broker.isEmpty('jobs')).toBe(true);
        expect(queues.entries('removed')).toEqual([]);
        await queues.clock.advance(2_000);
        queues.expectGone();
      }),
      { numRuns: 100 },
    );
  }, 60_000);

  it('pushes each output once and acknowledges each message, when nothing fails', async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (drawn) => {
        const none = { push: [], pull: [], ack: [] };
        const plan: Plan = { ...drawn, refused: [], jobsFaults: none, outFaults: none };
        const queues = openTwoQueues();
        const world: World = { queues, plan, groups: [] };
        queues.fill(plan.messages);
        await runToEnd(world, run);
        const outputs = world.groups.reduce((sum, { count }) => sum + count, 0);
        expect(queues.entries('pushed', 'out')).toHaveLength(outputs);
        expect(pushTimes(world).size).toBe(outputs);
        expect(world.groups.flatMap(({ from }) => from)).toHaveLength(plan.messages);
        expect(queues.entries('acked')).toHaveLength(plan.messages);
      }),
      { numRuns: 50 },
    );
  }, 60_000);
});
