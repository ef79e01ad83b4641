import type { Readable } from 'node:stream';
import type { Consumer } from '../../src/consumer/consumer.ts';
import type { LeasedMessage } from '../../src/consumer/handing-out/leased-message.ts';
import { openOutlet, type OutletOwner } from '../../src/convert/message-source.ts';
import { toReadable } from '../../src/node.ts';
import { settleMap, toObservable } from '../../src/rxjs.ts';
import { toReadableStream } from '../../src/web.ts';
import type { ForwardMessage } from './handler-plan.ts';
import type { Moment } from './moment.ts';
import { readAhead, running } from './running-surface.ts';
import { type Desk, PlannedFailure, type RunningSurface, type Surface, unlessPlanned } from './surface.ts';

/** What an outlet hands out, its reader settles by hand; going away leaves it no grace. */
export const byHand = { isAuto: false, concurrency: undefined, hasGrace: true, leavesAtOnce: true } as const;

/** A subscriber that starts a handler for each message. */
export const observable: Surface = {
  ...byHand,
  holdsBack: 'never',
  start: (desk) => {
    const { consumer, source, handle } = handingOut(desk);
    return subscribed(consumer, (leave, end) => {
      const work = async (message: LeasedMessage): Promise<void> => {
        if ((await handle(message)) === 'finish') return;
        desk.leaving();
        leave();
      };
      return toObservable(source).subscribe({ next: (message) => void work(message), ...end });
    });
  },
};

/** Two handlers side by side within `settleMap`, unless the plan says how many; what comes meanwhile waits there. */
export const settling: Surface = {
  ...byHand,
  goesOn: true,
  isAuto: true,
  holdsBack: 'for its turn',
  start: (desk) => {
    const { consumer, source, handle } = handingOut(desk);
    return subscribed(consumer, (leave, end) => {
      const work = async (message: LeasedMessage): Promise<void> => {
        const how = await handle(message);
        if (how === 'throw') throw new PlannedFailure('the handler fails');
        if (how === 'finish') return;
        desk.leaving();
        leave();
      };
      return toObservable(source)
        .pipe(settleMap(work, { concurrency: desk.plan.concurrency ?? 2 }))
        .subscribe(end);
    });
  },
};

/** A Node stream that flows, except while it is paused: it starts a handler for each message. */
export const flowing: Surface = {
  ...byHand,
  holdsBack: 'for its reader',
  start: (desk) => {
    const { consumer, source, handle } = handingOut(desk);
    const stream = toReadable(source);
    const work = async (message: LeasedMessage): Promise<void> => {
      const end = await handle(message);
      if (end === 'finish') return;
      desk.leaving();
      stream.destroy(end === 'throw' ? new PlannedFailure('the handler fails') : undefined);
    };
    stream.on('data', (message: LeasedMessage) => void work(message));
    const ended = endOf(stream);
    return {
      ...running(consumer, ended, () => destroy(stream, ended)),
      pause: () => stream.pause(),
      resume: () => stream.resume(),
    };
  },
};

/** A `for await` loop over a Node stream. */
export const streamLoop: Surface = {
  ...byHand,
  holdsBack: 'for its reader',
  start: (desk) => {
    const { consumer, source, handle } = handingOut(desk);
    const stream = toReadable(source);
    const ended = endOf(stream);
    const read = async (): Promise<void> => {
      for await (const message of stream) {
        const end = await handle(message);
        if (end !== 'finish') desk.leaving();
        if (end === 'break') break;
        if (end === 'throw') throw new PlannedFailure('the handler fails');
      }
    };
    const done = Promise.all([read().catch(unlessDestroyed), ended]).then(noValue);
    return running(consumer, done, () => destroy(stream, ended));
  },
};

/**
 * A reader of a web stream that reads twice at once and starts a handler for each message. Instead of pausing, it lets go
 * of the stream for a while.
 */
export const webStream: Surface = {
  ...byHand,
  readsAtOnce: 2,
  holdsBack: 'for its reader',
  start: (desk) => {
    const { consumer, source, handle } = handingOut(desk);
    const stream = toReadableStream(source);
    const lock = new ReaderLock(stream);
    const leave = (): Promise<void> => lock.cancel();
    const done = readAhead({ ...desk, handle: ([message]) => handle(message) }, { next: () => lock.read(), leave }, 2);
    return { ...running(consumer, done, leave), pause: () => lock.release(), resume: () => lock.take() };
  },
};

/** A consumer whose outlet tells when it hands out what its reader may not get at once. */
export function handingOut(desk: Desk): {
  readonly consumer: Consumer;
  readonly source: Consumer;
  readonly handle: (message: LeasedMessage | undefined, forward?: ForwardMessage) => ReturnType<Desk['handle']>;
} {
  const consumer = desk.queue.consume(desk.options);
  const owner = consumer as unknown as OutletOwner<LeasedMessage>;
  const handed = new WeakMap<LeasedMessage, Moment>();
  const noting: OutletOwner<LeasedMessage> = {
    [openOutlet]: (receiver) =>
      owner[openOutlet]({
        ...receiver,
        next: (message) => {
          handed.set(message, desk.receive(message));
          receiver.next(message);
        },
      }),
  };
  return {
    consumer,
    source: noting as unknown as Consumer,
    handle: (message, forward) => {
      if (message === undefined) throw new Error('Nothing was handed out');
      return desk.handle([message], handed.get(message), forward);
    },
  };
}

interface End {
  readonly error: (error: unknown) => void;
  readonly complete: () => void;
}

/** A subscription, which ends by itself or by leaving. */
function subscribed(
  consumer: Consumer,
  subscribe: (leave: () => void, end: End) => { unsubscribe(): void },
): RunningSurface {
  let leave = (): void => undefined;
  const done = new Promise<void>((resolve, reject) => {
    const subscription = subscribe(() => leave(), { error: reject, complete: resolve });
    leave = () => {
      subscription.unsubscribe();
      resolve();
    };
  });
  return running(consumer, done, async () => {
    leave();
    await consumer.closed;
  });
}

/** The right to read a web stream, which can be let go of. */
class ReaderLock {
  readonly #stream: ReadableStream<LeasedMessage>;
  #reader: ReadableStreamDefaultReader<LeasedMessage> | undefined;
  #taken: Promise<void> = Promise.resolve();
  #onTaken: () => void = () => undefined;

  constructor(stream: ReadableStream<LeasedMessage>) {
    this.#stream = stream;
    this.#reader = stream.getReader();
  }

  release(): void {
    if (this.#reader === undefined) return;
    const reader = this.#reader;
    this.#reader = undefined;
    this.#taken = new Promise((resolve) => {
      this.#onTaken = resolve;
    });
    reader.releaseLock();
  }

  take(): void {
    this.#reader ??= this.#stream.getReader();
    this.#onTaken();
  }

  /** Waits for the right to read, and for a message. */
  async read(): ReturnType<ReadableStreamDefaultReader<LeasedMessage>['read']> {
    for (;;) {
      await this.#taken;
      const reader = this.#reader;
      try {
        if (reader !== undefined) return await reader.read();
      } catch (error) {
        if (reader === this.#reader) throw error;
      }
    }
  }

  /** What has failed can't be cancelled, and says so again. */
  async cancel(): Promise<void> {
    await (this.#reader ?? this.#stream).cancel().catch(noValue);
    this.take();
  }
}

/** When a stream has closed; rejects with an error that was not planned. */
export function endOf(stream: Readable): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.on('error', (error: Error) => {
      try {
        unlessDestroyed(error);
      } catch (unplanned) {
        reject(unplanned);
      }
    });
    stream.on('close', resolve);
  });
}

function destroy(stream: Readable, ended: Promise<void>): Promise<void> {
  stream.destroy();
  // What went wrong is told elsewhere.
  return ended.catch(noValue);
}

/** What Node says of a stream that is left before its end. */
const leftEarly: ReadonlySet<unknown> = new Set(['ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR']);

/** Lets pass what comes of a stream that was left or destroyed. */
function unlessDestroyed(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && leftEarly.has(error.code))) unlessPlanned(error);
}

function noValue(): void {}
