import { describe, expect, it } from 'vitest';
import { envelope, forward, type Forward, type LeasedMessage, type Queue } from '../../src/index.ts';
import type { SinkOptions } from '../../src/node.ts';
import { openTwoQueues, type TwoQueues } from '../convert/two-queues.ts';
import { badBodies, fullBatches } from './bad-bodies.ts';

/** Somebody who writes to a sink. */
export interface Writer {
  /** Resolves once the write is confirmed, rejects when it failed. Does not wait for room. */
  write(item: unknown): Promise<void>;
  /** Resolves when there is room for another item; rejects when the stream failed. */
  readonly ready: () => Promise<unknown>;
  /** Whether the stream asks its writer to wait. */
  readonly isFull: () => boolean;
  close(): Promise<unknown>;
  /** Breaks off. */
  destroy(error: Error): Promise<unknown>;
}

/** A sink as the suite writes to it. */
export interface SinkUnderTest {
  readonly name: string;
  open(queue: Queue, options?: SinkOptions): Writer;
}

const bad: typeof badBodies = [...badBodies, ['a string as json', envelope('text', { contentType: 'json' }), /'text'/]];

/** What every sink has to do. */
export function describeSink(sink: SinkUnderTest): void {
  describe(`${sink.name}, as every sink,`, () => {
    /** Writes as fast as the stream takes it, and closes. */
    async function writeAll(writer: Writer, items: Iterable<unknown>): Promise<void> {
      for (const item of items) {
        void writer.write(item).catch(() => undefined);
        if (writer.isFull()) await writer.ready();
      }
      await writer.close();
    }

    it('pushes bodies of every kind', async () => {
      const queues = openTwoQueues();
      const items = [
        'text',
        '',
        0,
        false,
        [1, [2]],
        { a: null },
        { body: 1, contentType: 'text' },
        envelope(null),
        envelope('e'),
      ];
      await queues.run(writeAll(sink.open(queues.out), items));
      const bodies = ['text', '', 0, false, [1, [2]], { a: null }, { body: 1, contentType: 'text' }, null, 'e'];
      expect(queues.bodies('out')).toEqual(bodies);
      queues.expectGone();
    });

    it('pushes a top-level string as text', async () => {
      const queues = openTwoQueues();
      await queues.run(writeAll(sink.open(queues.out), ['plain']));
      expect(queues.broker.inspect('out').messages).toMatchObject([{ contentType: 'text', body: 'plain' }]);
    });

    it('gives an envelope its delay', async () => {
      const queues = openTwoQueues();
      await queues.run(writeAll(sink.open(queues.out), [envelope({ id: 1 }, { delaySeconds: 60 }), { id: 2 }]));
      expect(queues.broker.inspect('out').counts).toMatchObject({ delayed: 1, ready: 1 });
    });

    it('encodes an item when it is written: a later change does not reach it', async () => {
      const queues = openTwoQueues();
      const writer = sink.open(queues.out);
      const body = { id: 1 };
      const written = writer.write(body);
      body.id = 2;
      await queues.run(written);
      expect(queues.bodies('out')).toEqual([{ id: 1 }]);
      await queues.run(writer.close());
    });

    it('confirms a write only after the service has', async () => {
      const queues = openTwoQueues();
      queues.outCalls.latencyMs = 100;
      const writer = sink.open(queues.out, { lingerMs: 10 });
      let confirmed = 0;
      for (const item of [1, 2, 3]) void writer.write(item).then(() => (confirmed += 1));
      await queues.clock.advance(109);
      expect([confirmed, queues.outCalls.of('push').length]).toEqual([0, 1]);
      await queues.clock.advance(1);
      expect(confirmed).toBe(3);
      await queues.run(writer.close());
    });

    it('confirms no write early, of a stream that has nothing else to do', async () => {
      const queues = openTwoQueues();
      const writer = sink.open(queues.out, { lingerMs: 0 });
      await queues.clock.advance(10);
      let confirmedAt = 0;
      const startedAt = queues.clock.now();
      void writer.write(1).then(() => (confirmedAt = queues.clock.now()));
      await queues.clock.advance(10);
      expect(confirmedAt - startedAt).toBe(5);
      await queues.run(writer.close());
    });

    it('waits a short while for company', async () => {
      const queues = openTwoQueues();
      const writer = sink.open(queues.out, { lingerMs: 20 });
      void writer.write(1);
      await queues.clock.advance(15);
      void writer.write(2);
      expect(queues.outCalls.of('push')).toHaveLength(0);
      await queues.clock.advance(5);
      expect(queues.outCalls.of('push').map(({ messages }) => messages.length)).toEqual([2]);
      await queues.run(writer.close());
    });

    it('does not wait when it is closed', async () => {
      const queues = openTwoQueues();
      const startedAt = queues.clock.now();
      await queues.run(writeAll(sink.open(queues.out, { lingerMs: 1_000 }), [1, 2, 3]));
      expect(queues.clock.now() - startedAt).toBe(5);
      queues.expectGone();
    });

    it('closes without having written', async () => {
      const queues = openTwoQueues();
      await queues.run(sink.open(queues.out).close());
      expect(queues.outCalls.calls).toEqual([]);
      queues.expectGone();
    });

    it('keeps within the limits, with no more requests than needed', async () => {
      const queues = openTwoQueues();
      const bodies = Array.from({ length: 1_001 }, (_, index) => ({ index }));
      await queues.run(writeAll(sink.open(queues.out), bodies));
      expect(queues.outCalls.of('push').map(({ messages }) => messages.length)).toEqual([
        ...Array.from({ length: 10 }, () => 100),
        1,
      ]);
      expect(queues.outCalls.mostPushes).toBe(4);
      expect(queues.entries('pushed', 'out')).toHaveLength(1_001);
    });

    it.each(fullBatches)('splits a batch of %s', async (_, items, sizes) => {
      const queues = openTwoQueues();
      await queues.run(writeAll(sink.open(queues.out, { ordered: true }), items));
      expect(queues.outCalls.of('push').map(({ messages }) => messages.length)).toEqual(sizes);
      expect(queues.bodies('out')).toEqual(items);
    });

    it('asks its writer to wait while 400 items are not confirmed', async () => {
      const queues = openTwoQueues();
      const writer = sink.open(queues.out);
      let written = 0;
      const writing = (async () => {
        for (; written < 5_000; written += 1) {
          void writer.write(written);
          if (writer.isFull()) await writer.ready();
        }
      })();
      await queues.clock.advance(4);
      expect(written).toBeGreaterThanOrEqual(399);
      expect(written).toBeLessThanOrEqual(402);
      await queues.run(writing);
      await queues.run(writer.close());
      expect(queues.entries('pushed', 'out')).toHaveLength(5_000);
      expect(queues.outCalls.of('push').length).toBeLessThanOrEqual(51);
    });

    it('loses nothing of a writer that does not wait', async () => {
      const queues = openTwoQueues();
      const writer = sink.open(queues.out);
      const writes = Array.from({ length: 2_000 }, (_, index) => writer.write(index));
      await queues.run(Promise.all([...writes, writer.close()]));
      expect(queues.bodies('out').toSorted((one, other) => Number(one) - Number(other))).toEqual(
        writes.map((_, index) => index),
      );
    });

    it('keeps the order when ordered, whatever fails on the way', async () => {
      const queues = openTwoQueues();
      queues.outCalls.faults = (_, nth) => (nth % 3 === 0 ? 'request-lost' : nth % 7 === 0 ? 'busy' : undefined);
      const bodies = Array.from({ length: 950 }, (_, index) => index);
      await queues.run(writeAll(sink.open(queues.out, { ordered: true }), bodies));
      expect(queues.bodies('out')).toEqual(bodies);
      expect(queues.outCalls.mostPushes).toBe(1);
    });

    it('repeats what may be repeated', async () => {
      const queues = openTwoQueues();
      queues.outCalls.faults = (_, nth) => (['busy', 'request-lost', undefined] as const)[nth % 3];
      const writer = sink.open(queues.out);
      await queues.run(Promise.all([writer.write(1), writer.write(2)]));
      await queues.run(writer.close());
      expect(queues.bodies('out')).toEqual([1, 2]);
    });

    it.each(bad)('gives %s to onRejected, and goes on', async (_, body, message) => {
      const queues = openTwoQueues();
      const rejected: unknown[] = [];
      const writer = sink.open(queues.out, {
        onRejected: (item, error) => void rejected.push(Object.is(item, body), error),
      });
      await queues.run(writeAll(writer, [1, body, 2]));
      expect(rejected).toEqual([true, expect.objectContaining({ message: expect.stringMatching(message) as string })]);
      expect(queues.bodies('out')).toEqual([1, 2]);
    });

    it.each(bad)('fails naming the item that is %s, when the rest is pushed', async (_, body, message) => {
      const queues = openTwoQueues();
      const writer = sink.open(queues.out);
      const writes = [1, 2, body, 3].map((item) => writer.write(item));
      const results = await queues.run(Promise.allSettled([...writes, writer.close()]));
      const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
      expect(reasons.length).toBeGreaterThan(0);
      expect(String(reasons[0])).toMatch(/^(?:Type|Range)Error: Cannot push item 2 of the stream: /);
      expect(String(reasons[0])).toMatch(message);
      expect(queues.bodies('out')).toEqual([1, 2, 3]);
      queues.expectGone();
    });

    it('isolates an item that the service refuses', async () => {
      const queues = openTwoQueues();
      const refused = { id: 'refused' };
      queues.outCalls.refuses = ({ body }) => JSON.stringify(body).includes('refused');
      const rejected: unknown[] = [];
      const writer = sink.open(queues.out, { onRejected: (item) => void rejected.push(item) });
      const items = [...Array.from({ length: 37 }, (_, index) => ({ id: index })), refused, { id: 'last' }];
      await queues.run(writeAll(writer, items));
      expect(rejected).toEqual([refused]);
      expect(queues.entries('pushed', 'out')).toHaveLength(38);
    });

    it('fails, whatever onRejected says, with an error that is not the item’s own', async () => {
      const queues = openTwoQueues();
      queues.outCalls.faults = () => 'unauthorized';
      const writer = sink.open(queues.out, { onRejected: () => undefined });
      const results = await queues.run(Promise.allSettled([writer.write(1), writer.close()]));
      expect(results[0]).toMatchObject({ status: 'rejected', reason: { name: 'QueueError', code: 'unauthorized' } });
      expect(results[1]?.status).toBe('rejected');
      queues.expectGone();
    });

    it('fails, whatever onRejected says, with a refusal that is not about what was pushed', async () => {
      const queues = openTwoQueues();
      queues.outCalls.refuses = () => true;
      queues.outCalls.refusalStatus = 422;
      const rejected: unknown[] = [];
      const writer = sink.open(queues.out, { onRejected: (item) => void rejected.push(item) });
      const writes = Array.from({ length: 900 }, (_, index) => writer.write(index));
      const results = await queues.run(Promise.allSettled([...writes, writer.close()]));
      expect(results.map(({ status }) => status)).not.toContain('fulfilled');
      expect(results[0]).toMatchObject({ reason: { code: 'refused', status: 422 } });
      expect(rejected).toEqual([]);
      expect(queues.outCalls.of('push').length).toBeLessThanOrEqual(4);
      queues.expectGone();
    });

    it('fails with what onRejected throws', async () => {
      const queues = openTwoQueues();
      const error = new Error('no place for it');
      const writer = sink.open(queues.out, { onRejected: () => Promise.reject(error) });
      const [write] = await queues.run(Promise.allSettled([writer.write(1n), writer.close()]));
      expect(write).toEqual({ status: 'rejected', reason: error });
    });

    it('makes no more requests when it is broken off, and lets those under way end', async () => {
      const queues = openTwoQueues();
      queues.outCalls.latencyMs = 100;
      const writer = sink.open(queues.out);
      const writes = Array.from({ length: 900 }, (_, index) => writer.write(index).catch(() => 'failed'));
      await queues.clock.advance(50);
      const destroyed = writer.destroy(new Error('enough')).catch(() => undefined);
      await queues.run(Promise.all([...writes, destroyed]));
      await queues.clock.advance(10_000);
      expect(queues.outCalls.of('push')).toHaveLength(4);
      expect(queues.entries('pushed', 'out')).toHaveLength(400);
      queues.expectGone();
    });

    /** So long that a request takes two of them. */
    const long = 'x'.repeat(120_000);

    it('makes no more requests when it is broken off, however much it has taken', async () => {
      const queues = openTwoQueues();
      queues.outCalls.latencyMs = 100;
      const writer = sink.open(queues.out);
      const writes = Array.from({ length: 20 }, () => writer.write(long).catch(() => 'failed'));
      await queues.clock.advance(50);
      const destroyed = writer.destroy(new Error('enough')).catch(() => undefined);
      await queues.run(Promise.all([...writes, destroyed]));
      expect(queues.outCalls.of('push').length).toBeLessThanOrEqual(4);
      queues.expectGone();
    });

    it('makes no more requests when one failed for a reason that all would', async () => {
      const queues = openTwoQueues();
      queues.outCalls.faults = () => 'unauthorized';
      const writer = sink.open(queues.out);
      const writes = Array.from({ length: 20 }, () => writer.write(long));
      const results = await queues.run(Promise.allSettled([...writes, writer.close()]));
      expect(results.map(({ status }) => status)).not.toContain('fulfilled');
      expect(queues.outCalls.of('push').length).toBeLessThanOrEqual(4);
      queues.expectGone();
    });

    it.each([false, true])(
      'waits for half a second at most when it is broken off, deaf transport %s',
      async (isDeaf) => {
        const queues = openTwoQueues();
        queues.outCalls.isDeaf = isDeaf;
        queues.outCalls.latencyMs = 20_000;
        const writer = sink.open(queues.out);
        const write = writer.write(1).catch(() => 'failed');
        await queues.clock.advance(50);
        const startedAt = queues.clock.now();
        await queues.run(writer.destroy(new Error('enough')).catch(() => undefined));
        expect(queues.clock.now() - startedAt).toBe(500);
        await write;
        await queues.clock.advance(20_000);
        queues.expectGone();
      },
    );

    it('wakes a consumer of the same handle', async () => {
      const queues = openTwoQueues();
      const iterator = queues.out[Symbol.asyncIterator]();
      const next = iterator.next();
      await queues.clock.advance(60_000);
      const startedAt = queues.clock.now();
      await queues.run(writeAll(sink.open(queues.out), ['hello']));
      await queues.run(next);
      expect(queues.clock.now() - startedAt).toBeLessThan(100);
    });

    it('does not wake one for what is delayed', async () => {
      const queues = openTwoQueues();
      const iterator = queues.out[Symbol.asyncIterator]();
      const next = iterator.next();
      await queues.clock.advance(60_000);
      const pulls = queues.outCalls.of('pull').length;
      await queues.run(writeAll(sink.open(queues.out), [envelope('later', { delaySeconds: 60 })]));
      await queues.clock.advance(100);
      expect(queues.outCalls.of('pull')).toHaveLength(pulls);
      await queues.run(Promise.resolve(iterator.return?.()));
      await next;
    });

    it.each([
      [{ ordered: 'yes' }, TypeError],
      [{ onRejected: 1 }, TypeError],
      [{ lingerMs: -1 }, RangeError],
    ])('refuses %j at once', (options, error) => {
      const { out } = openTwoQueues();
      expect(() => sink.open(out, options as unknown as SinkOptions)).toThrow(error);
    });

    it('refuses what is no queue', () => {
      expect(() => sink.open({ send: () => undefined } as unknown as Queue)).toThrow(/'queue' must be a queue/);
    });

    describe('with forwarded messages', () => {
      /** Leases a message to be settled by hand. */
      async function lease(queues: TwoQueues): Promise<LeasedMessage> {
        queues.fill(1);
        const iterator = queues.jobs.consume({ settle: 'manual' })[Symbol.asyncIterator]();
        const { value } = await queues.run(iterator.next());
        if (value === undefined) throw new Error('there is no message');
        return value;
      }

      it('acknowledges a message once its outputs are confirmed, and not before', async () => {
        const queues = openTwoQueues();
        queues.outCalls.latencyMs = 100;
        const message = await lease(queues);
        const writer = sink.open(queues.out);
        void writer.write(forward(message, ['a', envelope('b', { delaySeconds: 9 })]));
        await queues.clock.advance(90);
        expect(queues.entries('acked')).toEqual([]);
        await queues.run(writer.close());
        expect(queues.entries('acked')).toHaveLength(1);
        const [acked] = queues.entries('acked');
        expect(queues.entries('pushed', 'out').every(({ at }) => at <= acked!.at)).toBe(true);
        expect(queues.bodies('out')).toEqual(['a', 'b']);
      });

      it('acknowledges a message that becomes nothing', async () => {
        const queues = openTwoQueues();
        const message = await lease(queues);
        await queues.run(writeAll(sink.open(queues.out), [forward(message, [])]));
        expect(queues.broker.isEmpty('jobs')).toBe(true);
        expect(queues.outCalls.calls).toEqual([]);
      });

      it('retries a message, with the growing delay, when an output can not be pushed; pushes none of them', async () => {
        const queues = openTwoQueues();
        const message = await lease(queues);
        const rejected: unknown[] = [];
        const item = forward<unknown>(message, ['a', 1n]);
        await queues.run(
          writeAll(sink.open(queues.out, { onRejected: (given) => void rejected.push(given) }), [item, 'next']),
        );
        expect(rejected).toEqual([item]);
        expect(queues.bodies('out')).toEqual(['next']);
        expect(queues.entries('retried')).toMatchObject([{ delaySeconds: 2 }]);
      });

      it('lets onRejected settle the message in another way', async () => {
        const queues = openTwoQueues();
        const message = await lease(queues);
        const onRejected = (): void => void message.ack();
        await queues.run(writeAll(sink.open(queues.out, { onRejected }), [forward(message, [1n])]));
        expect(queues.entries('retried')).toEqual([]);
        expect(queues.entries('acked')).toHaveLength(1);
      });

      it('retries the messages of a push that fails for good', async () => {
        const queues = openTwoQueues();
        const message = await lease(queues);
        queues.outCalls.faults = () => 'unauthorized';
        const writer = sink.open(queues.out);
        await queues.run(Promise.allSettled([writer.write(forward(message, ['a'])), writer.close()]));
        await queues.clock.advance(100);
        expect(queues.entries('retried')).toMatchObject([{ delaySeconds: 2 }]);
        expect(queues.entries('acked')).toEqual([]);
      });

      it('retries the messages of groups that were not pushed when it is broken off', async () => {
        const queues = openTwoQueues();
        const message = await lease(queues);
        const writer = sink.open(queues.out, { lingerMs: 1_000 });
        const write = writer.write(forward(message, ['a'])).catch(() => undefined);
        await queues.run(Promise.all([write, writer.destroy(new Error('enough')).catch(() => undefined)]));
        await queues.clock.advance(100);
        expect(queues.entries('retried')).toHaveLength(1);
        expect(queues.outCalls.calls).toEqual([]);
      });

      it('leaves a settlement by hand as it is', async () => {
        const queues = openTwoQueues();
        const message = await lease(queues);
        void message.retry({ delaySeconds: 7 });
        await queues.run(writeAll(sink.open(queues.out), [forward(message, ['a'])]));
        await queues.clock.advance(100);
        expect(queues.entries('retried')).toMatchObject([{ delaySeconds: 7 }]);
        expect(queues.entries('acked')).toEqual([]);
      });

      it.each<[string, (group: Forward) => Forward]>([
        ['group', (group) => group],
        ['copy of a group', (group) => ({ ...group })],
      ])('takes a message only once, when the same %s is written again', async (_, again) => {
        const queues = openTwoQueues();
        const message = await lease(queues);
        const group = forward<unknown>(message, ['a']);
        const writer = sink.open(queues.out);
        const writes = [group, again(group), 'next'].map((item) => writer.write(item));
        const results = await queues.run(Promise.allSettled([...writes, writer.close()]));
        expect(results.at(-1)).toMatchObject({ status: 'rejected' });
        const { reason } = results.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
        expect(reason).toBeInstanceOf(TypeError);
        expect(String(reason)).toMatch(/Cannot push item 1 of the stream: Cannot forward message .* twice/);
        await queues.clock.advance(100);
        expect(queues.bodies('out')).toEqual(['a', 'next']);
        expect([queues.entries('acked').length, queues.entries('retried')]).toEqual([1, []]);
      });

      it('takes a message only once, when its group is written to two sinks', async () => {
        const queues = openTwoQueues();
        const message = await lease(queues);
        const group = forward<unknown>(message, ['a']);
        const rejected: unknown[] = [];
        const first = sink.open(queues.out, { lingerMs: 1_000 });
        void first.write(group);
        await queues.run(
          writeAll(sink.open(queues.out, { onRejected: (item) => void rejected.push(item) }), [group, 'next']),
        );
        expect(rejected).toEqual([group]);
        expect([queues.bodies('out'), queues.entries('retried')]).toEqual([['next'], []]);
        await queues.run(first.close());
        expect(queues.bodies('out')).toEqual(['next', 'a']);
        expect(queues.entries('acked')).toHaveLength(1);
      });

      it('retries what else is in a group with a message that was written before', async () => {
        const queues = openTwoQueues();
        queues.fill(2);
        const iterator = queues.jobs.consume({ settle: 'manual', minInFlight: 2 })[Symbol.asyncIterator]();
        const one = (await queues.run(iterator.next())).value!;
        const other = (await queues.run(iterator.next())).value!;
        const group = forward<unknown>(one, ['a']);
        const rejected: unknown[] = [];
        const writer = sink.open(queues.out, { onRejected: (item) => void rejected.push(item) });
        const both: Forward = { ...group, messages: [one, other] };
        await queues.run(writeAll(writer, [group, both]));
        await queues.clock.advance(100);
        expect(rejected).toEqual([both]);
        expect(queues.entries('acked')).toMatchObject([{ messageId: one.id }]);
        expect(queues.entries('retried')).toMatchObject([{ messageId: other.id }]);
      });

      it('does not take a message itself for a body', async () => {
        const queues = openTwoQueues();
        const message = await lease(queues);
        const writer = sink.open(queues.out);
        const [write] = await queues.run(Promise.allSettled([writer.write(message), writer.close()]));
        expect(write).toMatchObject({ status: 'rejected' });
        expect(String((write as PromiseRejectedResult).reason)).toMatch(/write forward\(message, \[message\]\)/);
      });
    });
  });
}
