import type { Consumer } from '../../src/consumer/consumer.ts';
import type { LeasedMessage } from '../../src/consumer/handing-out/leased-message.ts';
import type { MessageBatch } from '../../src/consumer/handing-out/message-batch.ts';
import type { Processor } from '../../src/consumer/handing-out/processor.ts';
import { nodeForwarding, webForwarding } from './forwarding-surfaces.ts';
import { flowing, observable, settling, streamLoop, webStream } from './reactive-surfaces.ts';
import { readAhead, running } from './running-surface.ts';
import { handlersAtOnce, isOrdered, keyOption } from './order-plan.ts';
import type { ClientPlan } from './schedule.ts';
import { type Desk, PlannedFailure, type RunningSurface, type Surface, unlessPlanned } from './surface.ts';

/** What is asked for one by one, or one handler after the other. */
const asked = { holdsBack: 'never', hasGrace: true, leavesAtOnce: false } as const;

/** A plain `for await` loop. */
const loop: Surface = {
  ...asked,
  isAuto: true,
  concurrency: () => 1,
  start: (desk) => {
    const consumer = desk.queue.consume(desk.options);
    const iterator = consumer[Symbol.asyncIterator]();
    return running(consumer, runLoop(desk, iterator), () => iterator.return?.());
  },
};

/** A `for await` loop behind a generator's `yield*`. */
const generatorLoop: Surface = {
  ...asked,
  isAuto: true,
  concurrency: () => 1,
  start: (desk) => {
    const consumer = desk.queue.consume(desk.options);
    async function* passOn(): AsyncGenerator<LeasedMessage> {
      yield* consumer;
    }
    // A generator puts its return() behind the next() that waits.
    return running(consumer, runLoop(desk, passOn()), () => consumer.close());
  },
};

/** One reader that starts a handler for each message and does not wait for it. */
const manual: Surface = {
  ...asked,
  isAuto: false,
  concurrency: undefined,
  start: (desk) => {
    return readIterator(desk, desk.queue.consume({ ...desk.options, settle: 'manual' }), 1);
  },
};

/** Three readers that call `next()` side by side, which makes an automatic consumer a manual one. */
const overlapping: Surface = {
  ...asked,
  isAuto: false,
  concurrency: undefined,
  readsAtOnce: 3,
  start: (desk) => {
    return readIterator(desk, desk.queue.consume(desk.options), 3);
  },
};

function readIterator(desk: Desk, consumer: Consumer, readers: number): RunningSurface {
  const iterator = consumer[Symbol.asyncIterator]();
  const leave = (hasFailed = false): Promise<unknown> | undefined =>
    hasFailed ? iterator.throw?.(new PlannedFailure('the handler fails')).catch(unlessPlanned) : iterator.return?.();
  return running(consumer, readAhead(desk, { next: () => iterator.next(), leave }, readers), () => leave());
}

/** Three handlers side by side, unless the plan says how many. */
const pool: Surface = {
  ...asked,
  goesOn: true,
  isAuto: true,
  concurrency: handlersAtOnce,
  start: (desk) => {
    const options = { ...desk.options, ...keyOption(desk.plan), concurrency: handlersAtOnce(desk.plan) };
    return steered(desk.queue.process((message) => handleOrThrow(desk, [message]), options));
  },
};

/** How many messages a batch has at most: four, unless the plan says how many. */
function sizeOf({ size = 4, maxInFlight }: ClientPlan): number {
  return Math.min(size, maxInFlight);
}

/** A loop over batches. */
const batchLoop: Surface = {
  ...asked,
  isAuto: true,
  concurrency: sizeOf,
  atOnce: sizeOf,
  start: (desk) => {
    const consumer = desk.queue.batches({ ...desk.options, size: sizeOf(desk.plan) });
    const iterator = consumer[Symbol.asyncIterator]();
    return running(consumer, runLoop(desk, iterator), () => iterator.return?.());
  },
};

/** How many batches are in handlers at once: two, unless the plan says how many or there is no room for them. */
function batchesAtOnce(plan: ClientPlan): number {
  const { concurrency = 2, maxInFlight } = plan;
  if (isOrdered(plan)) return 1;
  return Math.min(concurrency, Math.floor(maxInFlight / sizeOf(plan)));
}

/** A Workers handler for batches, two at once. */
const batchPool: Surface = {
  ...asked,
  goesOn: true,
  isAuto: true,
  concurrency: (plan) => batchesAtOnce(plan) * sizeOf(plan),
  atOnce: sizeOf,
  start: (desk) => {
    const options = { ...desk.options, size: sizeOf(desk.plan), concurrency: batchesAtOnce(desk.plan) };
    return steered(desk.queue.processBatches((batch) => handleOrThrow(desk, batch.messages), options));
  },
};

/** Every way to consume a queue. A schedule names one, so that it is plain data. */
export const surfaces = {
  'for await': loop,
  generator: generatorLoop,
  manual,
  'overlapping next()': overlapping,
  process: pool,
  batches: batchLoop,
  processBatches: batchPool,
  toObservable: observable,
  settleMap: settling,
  'toReadable, flowing': flowing,
  'toReadable, for await': streamLoop,
  toReadableStream: webStream,
  'toReadable → toWritable': nodeForwarding,
  'process → toWritableStream': webForwarding,
} as const satisfies Readonly<Record<string, Surface>>;

export type SurfaceName = keyof typeof surfaces;

export const surfaceNames: readonly SurfaceName[] = [
  'for await',
  'generator',
  'manual',
  'overlapping next()',
  'process',
  'batches',
  'processBatches',
  'toObservable',
  'settleMap',
  'toReadable, flowing',
  'toReadable, for await',
  'toReadableStream',
  'toReadable → toWritable',
  'process → toWritableStream',
];

async function handleOrThrow(desk: Desk, messages: readonly LeasedMessage[]): Promise<void> {
  const end = await desk.handle(messages);
  if (end !== 'finish') throw new PlannedFailure('the handler fails');
}

/** Handlers, and what steers them. */
function steered(processor: Processor): RunningSurface {
  const done = processor.then(() => undefined);
  return running(processor, done, () => processor.close());
}

async function runLoop(desk: Desk, items: AsyncIterable<LeasedMessage | MessageBatch>): Promise<void> {
  try {
    for await (const item of items) {
      const end = await desk.handle('messages' in item ? item.messages : [item]);
      if (end !== 'finish') desk.leaving();
      if (end === 'break') break;
      if (end === 'throw') throw new PlannedFailure('the handler fails');
    }
  } catch (error) {
    unlessPlanned(error);
  }
}
