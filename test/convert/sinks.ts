import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { toWritable } from '../../src/node.ts';
import { toWritableStream } from '../../src/web.ts';
import type { SinkUnderTest } from '../contract-suites/sink.ts';

export const nodeSink: SinkUnderTest = {
  name: 'toWritable()',
  open(queue, options) {
    const stream = toWritable(queue, options);
    const ended = finished(stream);
    ended.catch(() => undefined);
    return {
      write: (item) =>
        new Promise((resolve, reject) => {
          stream.write(item, (error) => (error ? reject(error) : resolve()));
        }),
      isFull: () => stream.writableNeedDrain,
      ready: () => (stream.writableNeedDrain ? Promise.race([once(stream, 'drain'), ended]) : Promise.resolve()),
      close: () => {
        stream.end();
        return ended;
      },
      destroy: async (error) => {
        if (stream.closed) return;
        const closed = once(stream, 'close');
        stream.destroy(error);
        await closed;
      },
    };
  },
};

export const webSink: SinkUnderTest = {
  name: 'toWritableStream()',
  open(queue, options) {
    const writer = toWritableStream(queue, options).getWriter();
    writer.closed.catch(() => undefined);
    return {
      write: (item) => writer.write(item),
      isFull: () => (writer.desiredSize ?? 0) <= 0,
      ready: () => writer.ready,
      close: () => writer.close(),
      destroy: (error) => writer.abort(error),
    };
  },
};
