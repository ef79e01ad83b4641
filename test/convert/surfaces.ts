import { finished } from 'node:stream/promises';
import { from, type Observable } from 'rxjs';
import type { LeasedMessage } from '../../src/index.ts';
import { toReadable } from '../../src/node.ts';
import { toObservable } from '../../src/rxjs.ts';
import { toReadableStream } from '../../src/web.ts';
import type { Reader, SurfaceUnderTest } from '../contract-suites/surface.ts';

type Take = (message: LeasedMessage) => Promise<unknown>;

const loop: SurfaceUnderTest = {
  name: "for await with settle: 'manual'",
  kind: 'asked',
  abortsWork: false,
  read(queue, options, take) {
    const iterator = queue.consume({ ...options, settle: 'manual' })[Symbol.asyncIterator]();
    const read = async (): Promise<void> => {
      for await (const message of { [Symbol.asyncIterator]: () => iterator }) await take(message);
    };
    return { ended: quiet(read()), leave: async () => iterator.return?.() };
  },
};

const observable: SurfaceUnderTest = {
  name: 'toObservable()',
  kind: 'pushed',
  abortsWork: true,
  read: (queue, options, take) => subscribe(toObservable(queue, options), take),
};

const interop: SurfaceUnderTest = {
  name: 'rxjs.from(queue)',
  kind: 'pushed',
  abortsWork: true,
  read: (queue, options, take) => subscribe(from(queue.consume(options)), take),
};

const readable: SurfaceUnderTest = {
  name: 'toReadable()',
  kind: 'asked',
  abortsWork: true,
  abortError: 'AbortError',
  read(queue, options, take) {
    const stream = toReadable(queue, options);
    const read = async (): Promise<void> => {
      for await (const message of stream) await take(message);
    };
    return { ended: quiet(read()), leave: () => finished(stream.destroy()).catch(() => undefined) };
  },
};

const flowing: SurfaceUnderTest = {
  name: "toReadable() with on('data') and pause()",
  kind: 'asked',
  abortsWork: true,
  abortError: 'AbortError',
  read(queue, options, take) {
    const stream = toReadable(queue, options);
    stream.on('data', (message: LeasedMessage) => {
      stream.pause();
      void take(message).then(() => stream.resume());
    });
    return { ended: quiet(finished(stream)), leave: () => finished(stream.destroy()).catch(() => undefined) };
  },
};

const web: SurfaceUnderTest = {
  name: 'toReadableStream()',
  kind: 'asked',
  abortsWork: true,
  read(queue, options, take) {
    const reader = toReadableStream(queue, options).getReader();
    const read = async (): Promise<void> => {
      for (let result = await reader.read(); !result.done; result = await reader.read()) await take(result.value);
    };
    return { ended: quiet(read()), leave: () => reader.cancel() };
  },
};

/** Every surface that is settled by hand. */
export const surfaces: readonly SurfaceUnderTest[] = [loop, observable, interop, readable, flowing, web];

function subscribe(messages: Observable<LeasedMessage>, take: Take): Reader {
  let unsubscribe = (): void => undefined;
  const ended = new Promise<void>((resolve, reject) => {
    const subscription = messages.subscribe({
      next: (message) => void take(message),
      error: reject,
      complete: resolve,
    });
    unsubscribe = () => subscription.unsubscribe();
  });
  return { ended: quiet(ended), leave: async () => unsubscribe() };
}

/** Who waits for it will still see its failure. */
function quiet<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => undefined);
  return promise;
}
