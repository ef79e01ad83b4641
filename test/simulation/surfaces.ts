import type { Consumer, ConsumerControl } from '../../src/consumer/consumer.ts';
import type { LeasedMessage } from '../../src/consumer/leased-message.ts';
import type { MessageBatch } from '../../src/consumer/message-batch.ts';
import type { ConsumerSummary } from '../../src/consumer/stats.ts';
import { type Desk, PlannedFailure, type RunningSurface, type Surface, unlessPlanned, type Wait } from './surface.ts';

/** A plain `for await` loop. */
const loop: Surface = {
  isAuto: true,
  concurrency: () => 1,
  start: (desk) => {
    const consumer = desk.queue.consume(desk.options);
    return running(consumer, runLoop(desk, consumer));
  },
};

/** A `for await` loop behind a generator's `yield*`. */
const generatorLoop: Surface = {
  isAuto: true,
  concurrency: () => 1,
  start: (desk) => {
    const consumer = desk.queue.consume(desk.options);
    async function* passOn(): AsyncGenerator<LeasedMessage> {
      yield* consumer;
    }
    return running(consumer, runLoop(desk, passOn()));
  },
};

/** One reader that starts a handler for each message and does not wait for it. */
const manual: Surface = {
  isAuto: false,
  concurrency: undefined,
  start: (desk) => {
    const consumer = desk.queue.consume({ ...desk.options, settle: 'manual' });
    return running(consumer, readAhead(desk, consumer, 1));
  },
};

/** Three readers that call `next()` side by side, which makes an automatic consumer a manual one. */
const overlapping: Surface = {
  isAuto: false,
  concurrency: undefined,
  start: (desk) => {
    const consumer = desk.queue.consume(desk.options);
    return running(consumer, readAhead(desk, consumer, 3));
  },
};

const concurrency = 3;
const batchSize = 4;

/** Three handlers side by side. */
const pool: Surface = {
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
  isAuto: true,
  concurrency: (maxInFlight) => Math.min(batchSize, maxInFlight),
  start: (desk) => {
    const size = Math.min(batchSize, desk.options.maxInFlight);
    const consumer = desk.queue.batches({ ...desk.options, size });
    return running(consumer, runLoop(desk, consumer));
  },
};

/** A Workers handler for batches of up to four, two at once. */
const batchPool: Surface = {
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
];

async function handleOrThrow(desk: Desk, messages: readonly LeasedMessage[]): Promise<void> {
  const end = await desk.handle(messages);
  if (end !== 'finish') throw new PlannedFailure('the handler fails');
}

/** A consumer that shows nothing of itself but its end. */
function unseen(desk: Desk, ended: Promise<ConsumerSummary>): RunningSurface {
  const closed = ended.catch(() => undefined);
  return {
    closed,
    done: ended.then(() => undefined),
    stats: () => undefined,
    close: () => {
      desk.abort();
      return closed;
    },
    pause: () => undefined,
    resume: () => undefined,
  };
}

async function runLoop(desk: Desk, items: AsyncIterable<LeasedMessage | MessageBatch>): Promise<void> {
  try {
    for await (const item of items) {
      const end = await desk.handle('messages' in item ? item.messages : [item]);
      if (end === 'break') break;
      if (end === 'throw') throw new PlannedFailure('the handler fails');
    }
  } catch (error) {
    unlessPlanned(error);
  }
}

async function readAhead(desk: Desk, consumer: Consumer, readers: number): Promise<void> {
  const iterator = consumer[Symbol.asyncIterator]();
  const read = async (): Promise<void> => {
    for (;;) {
      const wait: Wait = { calledSeq: desk.sequence.next(), answeredSeq: Infinity, isDone: false };
      desk.waits.push(wait);
      const result = await iterator.next().finally(() => {
        wait.answeredSeq = desk.sequence.next();
      });
      wait.isDone = result.done === true;
      if (result.done === true) return;
      void desk.handle([result.value]).then(async (end) => {
        if (end === 'break') await iterator.return?.();
        if (end === 'throw') await iterator.throw?.(new PlannedFailure('the handler fails')).catch(unlessPlanned);
      });
    }
  };
  await Promise.all(Array.from({ length: readers }, () => read()));
}

function running(consumer: ConsumerControl, done: Promise<void>): RunningSurface {
  return {
    closed: consumer.closed,
    done,
    stats: () => consumer.stats,
    close: (graceMs) => consumer.close(graceMs === undefined ? {} : { graceMs }),
    pause: () => consumer.pause(),
    resume: () => consumer.resume(),
  };
}
