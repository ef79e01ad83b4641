import type { Consumer } from '../../src/consumer/consumer.ts';
import type { LeasedMessage } from '../../src/consumer/leased-message.ts';
import type { MessageBatch } from '../../src/consumer/message-batch.ts';
import type { ConsumerSummary } from '../../src/consumer/stats.ts';
import { nodeForwarding, webForwarding } from './forwarding-surfaces.ts';
import { flowing, observable, settling, streamLoop, webStream } from './reactive-surfaces.ts';
import { readAhead, running } from './running-surface.ts';
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

const concurrency = 3;
const batchSize = 4;

/** Three handlers side by side. */
const pool: Surface = {
  ...asked,
  hasGrace: false,
  isAuto: true,
  concurrency: (maxInFlight) => Math.min(concurrency, maxInFlight),
  start: (desk) => {
    const options = { ...desk.options, concurrency: Math.min(concurrency, desk.options.maxInFlight) };
    return unseen(
      desk,
      desk.queue.process((message) => handleOrThrow(desk, [message]), options),
    );
  },
};

/** A loop over batches of up to four. */
const batchLoop: Surface = {
  ...asked,
  isAuto: true,
  concurrency: (maxInFlight) => Math.min(batchSize, maxInFlight),
  start: (desk) => {
    const size = Math.min(batchSize, desk.options.maxInFlight);
    const consumer = desk.queue.batches({ ...desk.options, size });
    const iterator = consumer[Symbol.asyncIterator]();
    return running(consumer, runLoop(desk, iterator), () => iterator.return?.());
  },
};

/** A Workers handler for batches of up to four, two at once. */
const batchPool: Surface = {
  ...asked,
  hasGrace: false,
  isAuto: true,
  concurrency: (maxInFlight) => (maxInFlight < 2 * batchSize ? Math.min(batchSize, maxInFlight) : 2 * batchSize),
  start: (desk) => {
    const { maxInFlight } = desk.options;
    const size = Math.min(batchSize, maxInFlight);
    const options = { ...desk.options, size, concurrency: maxInFlight < 2 * batchSize ? 1 : 2 };
    return unseen(
      desk,
      desk.queue.processBatches((batch) => handleOrThrow(desk, batch.messages), options),
    );
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

/** A consumer that shows nothing of itself but its end. */
function unseen(desk: Desk, ended: Promise<ConsumerSummary>): RunningSurface {
  const closed = ended.catch(() => undefined);
  const close = (): Promise<unknown> => {
    desk.abort();
    return closed;
  };
  return {
    closed,
    done: ended.then(() => undefined),
    stats: () => undefined,
    close,
    leave: close,
    pause: () => undefined,
    resume: () => undefined,
  };
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
