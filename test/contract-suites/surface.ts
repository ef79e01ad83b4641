import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConsumerEvent, LeasedMessage, Queue } from '../../src/index.ts';
import type { SourceOptions } from '../../src/node.ts';
import { openTwoQueues, type TwoQueues } from '../convert/two-queues.ts';

/** Somebody who reads a surface. */
export interface Reader {
  /** Resolves when the surface has ended by itself, rejects with its error. */
  readonly ended: Promise<void>;
  /** Goes away; resolves when the surface says that it is done, at once where it says nothing. */
  leave(): Promise<unknown>;
}

/** A surface as the suite reads it. */
export interface SurfaceUnderTest {
  readonly name: string;
  /** `asked`: hands out what somebody asks for. `pushed`: hands out what may be out. */
  readonly kind: 'asked' | 'pushed';
  /** Whether work is told at once that its reader went away; otherwise it has until the lease ends. */
  readonly abortsWork: boolean;
  /** What its error is when the `signal` of its options aborts; `undefined` when it just ends. */
  readonly abortError?: string;
  /** Reads all messages of a queue. Where one asks, the next message is asked for when `take` is done. */
  read(queue: Queue, options: SourceOptions, take: (message: LeasedMessage) => Promise<unknown>): Reader;
}

const leaseMs = 1_000;
const forgotten = /the lease of message \w+ ended before the message was settled.*ack\(\).*settleMap\(\)/s;

/** What every surface that is settled by hand has to do. */
export function describeSurface(surface: SurfaceUnderTest): void {
  describe(`${surface.name}, as every surface,`, () => {
    let warn = vi.fn<typeof console.warn>();

    beforeEach(() => {
      warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    });

    /** Reads until the queue is empty. */
    async function readAll(
      queues: TwoQueues,
      take: (message: LeasedMessage) => Promise<unknown>,
      stopWhenEmpty: NonNullable<SourceOptions['stopWhenEmpty']> = true,
    ): Promise<void> {
      await queues.run(surface.read(queues.jobs, { visibilityTimeoutMs: leaseMs, stopWhenEmpty }, take).ended);
    }

    it('gives each message once, settles none by itself, and ends with the queue', async () => {
      const queues = openTwoQueues();
      queues.fill(300);
      const seen: unknown[] = [];
      await readAll(queues, async (message) => {
        seen.push(message.body);
        await queues.wait(10);
        expect(queues.entries('acked').map(({ messageId }) => messageId)).not.toContain(message.id);
        void message.ack();
      });
      expect(seen.toSorted((one, other) => Number(one) - Number(other))).toEqual(
        Array.from({ length: 300 }).map((_, index) => index),
      );
      expect(queues.entries('acked')).toHaveLength(300);
      expect(queues.entries('delivered')).toHaveLength(300);
      expect(queues.broker.isEmpty('jobs')).toBe(true);
      queues.expectGone();
    });

    it('retries what is retried by hand', async () => {
      const queues = openTwoQueues();
      queues.fill(5);
      const attempts: number[] = [];
      await readAll(queues, async (message) => {
        attempts.push(message.attempts);
        await (message.attempts === 1 ? message.retry({ delaySeconds: 0 }) : message.ack());
      });
      expect(attempts.toSorted((one, other) => one - other)).toEqual([1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
      expect(queues.broker.isEmpty('jobs')).toBe(true);
    });

    it('pulls for nobody before it is read', async () => {
      const queues = openTwoQueues();
      queues.fill(5);
      const reader = surface.read(queues.jobs, {}, () => new Promise(() => undefined));
      await queues.run(reader.leave());
      await queues.clock.advance(5_000);
      expect(queues.broker.inspect('jobs').counts.leased).toBe(0);
      queues.expectGone();
    });

    it('holds no more than its reader can work on, when that stalls after five messages', async () => {
      const queues = openTwoQueues();
      queues.fill(1_000);
      let taken = 0;
      const reader = surface.read(
        queues.jobs,
        { visibilityTimeoutMs: leaseMs, onEvent: () => undefined },
        async (message) => {
          taken += 1;
          if (taken > 5) return new Promise(() => undefined);
          await queues.wait(20);
          return message.ack();
        },
      );
      await queues.clock.advance(leaseMs);
      // At most 4 for each that was finished; those that are out: one that is asked for, or a window that grew by five; and
      // the five, until their acknowledgements arrive.
      expect(queues.mostLeased()).toBeLessThanOrEqual(surface.kind === 'asked' ? 20 + 1 + 5 : 20 + 6 + 5);
      const pulls = queues.jobsCalls.of('pull').length;
      await queues.clock.advance(10 * leaseMs);
      if (surface.kind === 'asked') {
        expect(queues.jobsCalls.of('pull').length - pulls).toBeLessThanOrEqual(1);
        expect(queues.broker.inspect('jobs').counts.leased).toBe(0);
        expect(taken).toBe(6);
      } else {
        // Nobody asks here: what is not settled counts as slow, and comes one at a time.
        expect(queues.broker.inspect('jobs').counts.leased).toBeLessThanOrEqual(6);
        expect(queues.jobsCalls.of('pull').length - pulls).toBeLessThanOrEqual(60);
      }
      await queues.run(reader.leave());
      await queues.clock.advance(leaseMs);
      expect(queues.broker.inspect('jobs').counts.leased).toBe(0);
      queues.expectGone();
    });

    it('stops when its reader goes away, and gives back what is buffered', async () => {
      const queues = openTwoQueues();
      queues.fill(500);
      const held: LeasedMessage[] = [];
      let finished = 0;
      const reader = surface.read(queues.jobs, { visibilityTimeoutMs: 60_000 }, async (message) => {
        await queues.wait(5);
        if (finished < 40) {
          finished += 1;
          return message.ack();
        }
        held.push(message);
        return new Promise(() => undefined);
      });
      await queues.clock.advance(3_000);
      const [first, ...others] = held;
      expect(first?.signal.aborted).toBe(false);
      const left = reader.leave();
      // Before anything else happens: work that goes on would be in vain.
      expect(first?.signal.aborted).toBe(surface.abortsWork);
      const pulls = queues.jobsCalls.of('pull').length;
      await queues.clock.advance(500);
      const settlement = first?.ack();
      await queues.clock.advance(2_000);
      expect(await settlement).toEqual({ outcome: 'acked', late: false });
      expect(queues.jobsCalls.of('pull')).toHaveLength(pulls);
      expect(queues.entries('acked')).toHaveLength(41);
      // What is out is left to its lease; the rest was given back, to be delivered at once.
      expect(queues.broker.inspect('jobs').counts).toEqual({
        ready: 459 - others.length,
        delayed: 0,
        leased: others.length,
        total: 459,
      });
      await queues.clock.advance(60_000);
      await left;
      expect(queues.broker.inspect('jobs').counts.leased).toBe(0);
      queues.expectGone();
    });

    it('goes on when messages are forgotten: counts them, and warns once', async () => {
      const queues = openTwoQueues();
      queues.fill(12);
      const seen = new Set<string>();
      const take = async (message: LeasedMessage): Promise<void> => {
        if (seen.has(message.id) || Number(message.body) % 2 === 0) await message.ack();
        seen.add(message.id);
      };
      // For longer than a lease: what is forgotten has to come again.
      await readAll(queues, take, { forMs: 2 * leaseMs });
      expect(seen.size).toBe(12);
      expect(queues.entries('expired')).toHaveLength(6);
      expect(queues.broker.isEmpty('jobs')).toBe(true);
      expect(warn.mock.calls).toEqual([[expect.stringMatching(forgotten)]]);
    });

    it('tells onEvent of messages that were forgotten, in place of the console', async () => {
      const queues = openTwoQueues();
      queues.fill(3);
      const events: ConsumerEvent[] = [];
      const options = {
        visibilityTimeoutMs: leaseMs,
        stopWhenEmpty: true,
        onEvent: (event: ConsumerEvent) => void events.push(event),
      };
      const reader = surface.read(queues.jobs, options, async (message) => {
        if (message.attempts > 1) await message.ack();
      });
      await queues.run(reader.ended);
      expect(events.map(({ type }) => type)).toEqual(['abandoned', 'abandoned', 'abandoned']);
      expect(warn).not.toHaveBeenCalled();
    });

    it('hands out nothing too late', async () => {
      const queues = openTwoQueues();
      queues.fill(60);
      const left: number[] = [];
      await readAll(queues, async (message) => {
        left.push(message.leaseRemainingMs);
        await queues.wait(left.length % 10 === 0 ? 400 : 30);
        await message.ack();
      });
      // A twentieth of the lease.
      expect(Math.min(...left)).toBeGreaterThanOrEqual(50);
      expect(queues.broker.isEmpty('jobs')).toBe(true);
    });

    it('fails once with an error that trying again can not help', async () => {
      const queues = openTwoQueues();
      queues.fill(5);
      queues.jobsCalls.faults = (method, nth) => (method === 'pull' && nth > 0 ? 'unauthorized' : undefined);
      const reader = surface.read(queues.jobs, {}, (message) => message.ack());
      await expect(queues.run(reader.ended)).rejects.toMatchObject({ name: 'QueueError', code: 'unauthorized' });
      await queues.clock.advance(60_000);
      queues.expectGone();
    });

    it('survives lost requests and lost answers', async () => {
      const queues = openTwoQueues();
      queues.fill(40);
      queues.jobsCalls.faults = (_, nth) =>
        (['request-lost', 'answer-lost', 'busy', undefined, undefined] as const)[nth % 5];
      const done = new Set<unknown>();
      const options = { visibilityTimeoutMs: leaseMs, stopWhenEmpty: { forMs: 20_000 }, onEvent: () => undefined };
      const reader = surface.read(queues.jobs, options, async (message) => {
        await queues.wait(10);
        done.add(message.body);
        await message.ack();
      });
      await queues.run(reader.ended);
      expect(done.size).toBe(40);
      expect(queues.broker.isEmpty('jobs')).toBe(true);
    });

    it('closes when its signal aborts', async () => {
      const queues = openTwoQueues();
      queues.fill(5);
      const controller = new AbortController();
      const reader = surface.read(queues.jobs, { signal: controller.signal }, (message) => message.ack());
      await queues.clock.advance(1_000);
      controller.abort();
      const ended = queues.run(reader.ended);
      if (surface.abortError === undefined) await ended;
      else await expect(ended).rejects.toMatchObject({ name: surface.abortError });
      await queues.clock.advance(10);
      expect(queues.broker.isEmpty('jobs')).toBe(true);
      queues.expectGone();
    });

    it.each([
      [{ maxInFlight: 0 }, RangeError],
      [{ visibilityTimeoutMs: '1s' }, TypeError],
      [{ signal: 1 }, TypeError],
    ])('refuses %j at once', (options, error) => {
      const { jobs } = openTwoQueues();
      expect(() => surface.read(jobs, options as SourceOptions, async () => undefined)).toThrow(error);
    });
  });
}
