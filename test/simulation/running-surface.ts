import type { ConsumerControl } from '../../src/consumer/consumer.ts';
import type { LeasedMessage } from '../../src/consumer/handing-out/leased-message.ts';
import type { Desk, RunningSurface, Wait } from './surface.ts';

/** A consumer that can be asked for everything, and the code around it. */
export function running(
  consumer: ConsumerControl,
  done: Promise<void>,
  leave: () => Promise<unknown> | undefined,
): RunningSurface {
  return {
    closed: consumer.closed,
    done,
    stats: () => consumer.stats,
    close: (graceMs) => consumer.close(graceMs === undefined ? {} : { graceMs }),
    leave: async () => leave(),
    pause: () => consumer.pause(),
    resume: () => consumer.resume(),
  };
}

/** Where somebody asks for one message after the other, and may go away. */
interface Source {
  next(): Promise<{ readonly done?: boolean | undefined; readonly value?: LeasedMessage | undefined }>;
  leave(hasFailed: boolean): Promise<unknown> | undefined;
}

/** Readers side by side that start a handler for each message and do not wait for it. */
export async function readAhead(desk: Desk, source: Source, readers: number): Promise<void> {
  const work = async (message: LeasedMessage): Promise<void> => {
    const end = await desk.handle([message]);
    if (end === 'finish') return;
    desk.leaving();
    await source.leave(end === 'throw');
  };
  const read = async (): Promise<void> => {
    for (;;) {
      const wait: Wait = { calledSeq: desk.sequence.next(), answeredSeq: Infinity, isDone: false };
      desk.waits.push(wait);
      const { done, value } = await source.next().finally(() => {
        wait.answeredSeq = desk.sequence.next();
      });
      wait.isDone = done === true;
      if (value === undefined) return;
      void work(value);
    }
  };
  await Promise.all(Array.from({ length: readers }, () => read()));
}
