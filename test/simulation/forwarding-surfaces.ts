import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { LeasedMessage } from '../../src/consumer/handing-out/leased-message.ts';
import { QueueError } from '../../src/contract/errors.ts';
import type { Settlement } from '../../src/contract/settlement.ts';
import { forward, type Forward } from '../../src/index.ts';
import { toReadable, toWritable } from '../../src/node.ts';
import { toWritableStream } from '../../src/web.ts';
import type { ForwardMessage } from './handler-plan.ts';
import { handlersAtOnce, keyOption } from './order-plan.ts';
import { byHand, endOf, handingOut } from './reactive-surfaces.ts';
import { running } from './running-surface.ts';
import { parsedFrom } from './simulated-schema.ts';
import { PlannedFailure, type RunningSurface, type Surface } from './surface.ts';

/** A Node stream that flows, whose messages are forwarded to a Node sink: each of the two ends with the other. */
export const nodeForwarding: Surface = {
  ...byHand,
  holdsBack: 'for its reader',
  start: (desk): RunningSurface => {
    const { consumer, source, handle } = handingOut(desk);
    const stream = toReadable(source);
    const sink = toWritable(desk.otherQueue);
    const works: Promise<void>[] = [];
    const breakOff = (): void => {
      if (!stream.destroyed) desk.leaving();
      stream.destroy();
      sink.destroy();
    };
    sink.on('error', breakOff);
    const work = async (message: LeasedMessage): Promise<void> => {
      if ((await handle(message, toNode(sink))) !== 'finish') breakOff();
    };
    stream.on('data', (message: LeasedMessage) => void works.push(work(message)));
    const end = async (): Promise<void> => {
      try {
        await endOf(stream);
      } finally {
        await Promise.all(works);
        sink.end();
        await finished(sink).catch(noValue);
      }
    };
    const done = end();
    const leave = async (): Promise<void> => {
      sink.destroy();
      stream.destroy();
      await consumer.closed;
    };
    return { ...running(consumer, done, leave), pause: () => stream.pause(), resume: () => stream.resume() };
  },
};

/** Handlers side by side that write to a web sink, which goes on after an item that can't be pushed. */
export const webForwarding: Surface = {
  isAuto: true,
  concurrency: handlersAtOnce,
  holdsBack: 'never',
  hasGrace: false,
  leavesAtOnce: false,
  start: (desk): RunningSurface => {
    const writer = toWritableStream(desk.otherQueue, { onRejected: () => desk.onRejected() }).getWriter();
    writer.closed.catch(noValue);
    const write: ForwardMessage = (message, how) => writer.write(itemOf(message, how)).then(sunk, sunk);
    const ended = desk.queue.process(
      async (message) => {
        if ((await desk.handle([message], undefined, write)) !== 'finish')
          throw new PlannedFailure('the handler fails');
      },
      { ...desk.options, ...keyOption(desk.plan), concurrency: handlersAtOnce(desk.plan) },
    );
    const closed = ended.catch(() => undefined);
    const close = (): Promise<unknown> => {
      desk.abort();
      return closed;
    };
    const end = async (): Promise<void> => {
      try {
        await ended;
      } finally {
        await writer.close().catch(noValue);
      }
    };
    return { closed, done: end(), stats: () => undefined, close, leave: close, pause: noValue, resume: noValue };
  },
};

function toNode(sink: Writable): ForwardMessage {
  return (message, how) =>
    new Promise((resolve) => {
      sink.write(itemOf(message, how), () => resolve(sunk()));
    });
}

/** The body as it was pulled; beside it what no queue takes. */
function itemOf(message: LeasedMessage, how: 'well' | 'badly'): Forward {
  const body = parsedFrom(message.body);
  return forward<unknown>(message, how === 'well' ? [body] : [body, 1n]);
}

/** A sink tells its writer nothing of the settlement. */
function sunk(): Settlement {
  return { outcome: 'unknown', error: new QueueError('The sink settles it', { code: 'unconfirmed' }) };
}

function noValue(): void {}
