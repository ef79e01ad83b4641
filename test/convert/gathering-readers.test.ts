import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { bufferCount, concatMap, lastValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { forward, type LeasedMessage } from '../../src/index.ts';
import { toReadable, toWritable } from '../../src/node.ts';
import { toObservable } from '../../src/rxjs.ts';
import { openTwoQueues } from './two-queues.ts';

const options = { visibilityTimeoutMs: 1_000, stopWhenEmpty: true, minInFlight: 5, onEvent: () => undefined };

describe('minInFlight', () => {
  it('lets bufferCount() have its messages before any is settled', async () => {
    const queues = openTwoQueues();
    queues.fill(50);
    const settled = toObservable(queues.jobs, options).pipe(
      bufferCount(5),
      concatMap((messages) => Promise.all(messages.map((message) => message.ack()))),
    );
    await queues.run(lastValueFrom(settled));
    expect(queues.entries('acked')).toHaveLength(50);
    expect(queues.entries('expired')).toEqual([]);
    expect(queues.entries('delivered')).toHaveLength(50);
  });

  it('lets a transform make one of many', async () => {
    const queues = openTwoQueues();
    queues.fill(50);
    let gathered: LeasedMessage<number>[] = [];
    const sum = new Transform({
      objectMode: true,
      transform(message: LeasedMessage<number>, _, callback) {
        gathered.push(message);
        if (gathered.length < 5) return callback();
        const total = gathered.reduce((so, { body }) => so + body, 0);
        callback(null, forward(gathered, [total]));
        gathered = [];
      },
    });
    await queues.run(pipeline(toReadable(queues.jobs, options), sum, toWritable(queues.out)));
    expect(queues.bodies('out')).toEqual([10, 35, 60, 85, 110, 135, 160, 185, 210, 235]);
    expect(queues.entries('acked')).toHaveLength(50);
    expect(queues.entries('expired')).toEqual([]);
  });

  it('is 1: what gathers more gets the next message only when the one before is settled, or its lease ends', async () => {
    const queues = openTwoQueues();
    queues.fill(3);
    const seen: unknown[] = [];
    const { minInFlight: _, ...rest } = options;
    const subscription = toObservable(queues.jobs, rest).subscribe((message) => seen.push(message.body));
    await queues.clock.advance(900);
    expect(seen).toEqual([0]);
    await queues.clock.advance(300);
    expect(seen).toHaveLength(2);
    subscription.unsubscribe();
    await queues.clock.advance(2_000);
    queues.expectGone();
  });

  it('is at most maxInFlight', () => {
    const { jobs } = openTwoQueues();
    expect(() => toObservable(jobs, { minInFlight: 9, maxInFlight: 8 })).toThrow(
      new RangeError("Cannot consume as 'minInFlight' must be at most 'maxInFlight', 8: current value is 9"),
    );
    expect(() => jobs.consume({ minInFlight: 0 })).toThrow(RangeError);
  });
});
