import { describe, expect, it } from 'vitest';
import { warnings } from '../../../src/broker/queue/lease-settler.ts';
import { openQueue } from './open-queue.ts';

describe('pull()', () => {
  it('leases a message until exactly its deadline', async () => {
    const { clock, push, pullTexts } = openQueue();
    push('a');
    expect(pullTexts(1_000)).toEqual(['a']);
    await clock.advance(999);
    expect(pullTexts()).toEqual([]);
    await clock.advance(1);
    expect(pullTexts()).toEqual(['a']);
  });

  it("leases for the queue's own visibility timeout when none is asked for", async () => {
    const { clock, push, pullTexts } = openQueue({ visibilityTimeoutMs: 7_000 });
    push('a');
    pullTexts();
    await clock.advance(6_999);
    expect(pullTexts()).toEqual([]);
    await clock.advance(1);
    expect(pullTexts()).toEqual(['a']);
  });

  it('counts attempts from 1, under the same id and another lease', async () => {
    const { clock, push, pullOne } = openQueue();
    const id = push('a');
    const first = pullOne(10);
    await clock.advance(10);
    const second = pullOne(10);
    expect([first.attempts, second.attempts]).toEqual([1, 2]);
    expect([first.id, second.id]).toEqual([id, id]);
    expect(first.leaseId).not.toBe(second.leaseId);
    expect([first.timestampMs, second.timestampMs]).toEqual([0, 0]);
  });

  it('gives those first that are visible longest, then those pushed first', async () => {
    const { clock, push, pullOne, pullTexts, queue } = openQueue();
    push('a');
    push('b');
    push('late', 5);
    const first = pullOne();
    await clock.advance(1);
    push('c');
    queue.retry(first.leaseId);
    expect(pullTexts()).toEqual(['b', 'a', 'c']);
    await clock.advance(5_000);
    expect(pullTexts()).toEqual(['late']);
  });

  it('gives no more than asked for', () => {
    const { push, queue } = openQueue();
    for (const text of ['a', 'b', 'c']) push(text);
    expect(queue.pull(2)).toHaveLength(2);
    expect(queue.pull(2)).toHaveLength(1);
    expect(queue.pull(2)).toEqual([]);
  });

  it('makes lease ids as long as those of the service and message ids of 32 hex characters', () => {
    const { push, pullOne } = openQueue();
    push('a');
    const { id, leaseId } = pullOne();
    expect(id).toMatch(/^[\da-f]{32}$/);
    expect(leaseId.length).toBeGreaterThanOrEqual(300);
    expect(leaseId).toMatch(/^[\w.-]+$/);
  });
});

describe('push()', () => {
  it('hides a delayed message until its delay has passed', async () => {
    const { clock, push, pullTexts } = openQueue();
    push('a', 2);
    await clock.advance(1_999);
    expect(pullTexts()).toEqual([]);
    await clock.advance(1);
    expect(pullTexts()).toEqual(['a']);
  });

  it("takes the queue's delay when none is given, and 0 overrides it", async () => {
    const { clock, push, pullTexts } = openQueue({ deliveryDelaySeconds: 3 });
    push('delayed');
    push('at once', 0);
    expect(pullTexts()).toEqual(['at once']);
    await clock.advance(3_000);
    expect(pullTexts()).toEqual(['delayed']);
  });
});

describe('ack()', () => {
  it('deletes the message', async () => {
    const { clock, push, pullOne, pullTexts, queue } = openQueue();
    push('a');
    expect(queue.ack(pullOne(10).leaseId)).toBeUndefined();
    await clock.advance(10);
    expect(pullTexts()).toEqual([]);
    expect(queue.metrics().backlogCount).toBe(0);
  });

  it('warns the second time', () => {
    const { push, pullOne, queue } = openQueue();
    push('a');
    const { leaseId } = pullOne();
    queue.ack(leaseId);
    expect(queue.ack(leaseId)).toBe(warnings.unknownLease);
  });

  it.each([[''], ['nonsense'], ['__proto__'], ['x'.repeat(400)]])('warns about the lease %j', (leaseId) => {
    expect(openQueue().queue.ack(leaseId)).toBe(warnings.unknownLease);
  });

  it('warns about a lease id that is altered in its last character', () => {
    const { push, pullOne, queue } = openQueue();
    push('a');
    const { leaseId } = pullOne();
    expect(queue.ack(leaseId.slice(0, -1) + (leaseId.endsWith('0') ? '1' : '0'))).toBe(warnings.unknownLease);
    expect(queue.ack(leaseId)).toBeUndefined();
  });

  it('is accepted after the lease ended', async () => {
    const { clock, push, pullOne, pullTexts, queue, journal } = openQueue();
    push('a');
    const { leaseId } = pullOne(10);
    await clock.advance(10);
    expect(queue.ack(leaseId)).toBeUndefined();
    expect(pullTexts()).toEqual([]);
    expect(journal.slice(-2)).toMatchObject([
      { type: 'expired', leaseId, at: 10 },
      { type: 'acked', leaseId, late: true },
    ]);
  });

  it('is accepted while another holds the message, whose lease is unknown then', async () => {
    const { clock, push, pullOne, queue } = openQueue();
    push('a');
    const first = pullOne(10);
    await clock.advance(10);
    const second = pullOne();
    expect(queue.ack(first.leaseId)).toBeUndefined();
    expect(queue.ack(second.leaseId)).toBe(warnings.unknownLease);
    expect(queue.retry(second.leaseId)).toBe(warnings.unknownLease);
  });

  it('is accepted by the second holder, and then not by the first', async () => {
    const { clock, push, pullOne, queue } = openQueue();
    push('a');
    const first = pullOne(10);
    await clock.advance(10);
    const second = pullOne();
    expect(queue.ack(second.leaseId)).toBeUndefined();
    expect(queue.ack(first.leaseId)).toBe(warnings.unknownLease);
  });

  it('is not accepted once the message was moved or removed', async () => {
    const { clock, push, pullOne, queue } = openQueue({ maxRetries: 0 });
    push('a');
    const { leaseId } = pullOne(10);
    await clock.advance(10);
    expect(queue.ack(leaseId)).toBe(warnings.unknownLease);
  });

  it('is not accepted for a lease that a retry ended', () => {
    const { push, pullOne, queue } = openQueue();
    push('a');
    const { leaseId } = pullOne();
    queue.retry(leaseId);
    expect(queue.ack(leaseId)).toBe(warnings.unknownLease);
    expect(queue.metrics().backlogCount).toBe(1);
  });
});

describe('retry()', () => {
  it('makes the message visible again at once', () => {
    const { push, pullOne, queue } = openQueue();
    push('a');
    expect(queue.retry(pullOne().leaseId)).toBeUndefined();
    expect(pullOne().attempts).toBe(2);
  });

  it('makes it visible after the delay', async () => {
    const { clock, push, pullOne, pullTexts, queue } = openQueue();
    push('a');
    queue.retry(pullOne().leaseId, 60);
    await clock.advance(59_999);
    expect(pullTexts()).toEqual([]);
    await clock.advance(1);
    expect(pullTexts()).toEqual(['a']);
  });

  it("takes the queue's delay when none is given, and 0 overrides it", async () => {
    const { clock, push, pullOne, pullTexts, queue } = openQueue({ retryDelaySeconds: 5 });
    push('a');
    queue.retry(pullOne().leaseId, 0);
    queue.retry(pullOne().leaseId);
    expect(pullTexts()).toEqual([]);
    await clock.advance(5_000);
    expect(pullTexts()).toEqual(['a']);
  });

  it('is ignored with a warning when the lease has ended', async () => {
    const { clock, push, pullOne, inspect, queue } = openQueue();
    push('a');
    const { leaseId } = pullOne(10);
    await clock.advance(10);
    expect(queue.retry(leaseId, 60)).toBe(warnings.lateRetry);
    expect(inspect().counts).toMatchObject({ ready: 1, total: 1 });
  });

  it('is honoured late, if so wanted, also when another holds the message', async () => {
    const { clock, push, pullOne, inspect, queue } = openQueue({}, { lateRetry: 'honour' });
    push('a');
    const first = pullOne(10);
    await clock.advance(10);
    const second = pullOne();
    expect(queue.retry(first.leaseId, 60)).toBeUndefined();
    expect(inspect().messages).toMatchObject([{ state: 'delayed', visibleAtMs: 60_010 }]);
    expect(queue.ack(second.leaseId)).toBeUndefined();
  });
});

describe('a message that used up its deliveries', () => {
  it('is delivered maxRetries + 1 times, then deleted at its last deadline', async () => {
    const { clock, push, pullOne, queue, journal } = openQueue({ maxRetries: 2 });
    const messageId = push('a');
    for (const attempts of [1, 2, 3]) {
      expect(pullOne(10).attempts).toBe(attempts);
      await clock.advance(10);
    }
    expect(queue.pull(1)).toEqual([]);
    expect(queue.metrics().backlogCount).toBe(0);
    expect(journal.at(-1)).toEqual({ type: 'removed', reason: 'attempts', queue: 'jobs', at: 30, messageId });
  });

  it('is there until that deadline', async () => {
    const { clock, push, pullOne, queue } = openQueue({ maxRetries: 0 });
    push('a');
    const { leaseId } = pullOne(10);
    await clock.advance(9);
    expect(queue.ack(leaseId)).toBeUndefined();
  });

  it('is deleted by its retry, without waiting for the delay', () => {
    const { push, pullOne, queue } = openQueue({ maxRetries: 0 });
    push('a');
    expect(queue.retry(pullOne().leaseId, 60)).toBeUndefined();
    expect(queue.metrics().backlogCount).toBe(0);
  });

  it('goes to the dead letter queue with id, body and timestamp, and starts anew there', async () => {
    const { clock, push, pullOne, queue, queues, inspect } = openQueue({ maxRetries: 1, deadLetterQueue: 'dead' });
    const id = push('a');
    await clock.advance(100);
    queue.retry(pullOne().leaseId);
    const { leaseId } = pullOne();
    queue.retry(leaseId, 60);
    expect(queue.ack(leaseId)).toBe(warnings.unknownLease);
    expect(inspect().messages).toEqual([]);
    const [dead] = queues.open('dead').pull(1);
    expect(dead).toMatchObject({ id, attempts: 1, timestampMs: 0, body: { text: 'a' } });
  });

  it('is in the dead letter queue at its last deadline, though nobody calls the queue it came from', async () => {
    const { clock, push, pullOne, queues, journal } = openQueue({ maxRetries: 0, deadLetterQueue: 'dead' });
    const messageId = push('a');
    const dead = queues.open('dead');
    pullOne(10);
    await clock.advance(9);
    expect(dead.metrics().backlogCount).toBe(0);
    await clock.advance(500);
    expect(dead.metrics().backlogCount).toBe(1);
    expect(journal.at(-1)).toEqual({ type: 'deadLettered', queue: 'jobs', at: 10, messageId, deadLetterQueue: 'dead' });
  });

  it('may go round between two queues that are dead letter queues of each other', async () => {
    const { clock, push, pullOne, queue, queues } = openQueue({ maxRetries: 0, deadLetterQueue: 'dead' });
    const dead = queues.open('dead', { maxRetries: 0, deadLetterQueue: 'jobs' });
    push('a');
    pullOne(10);
    await clock.advance(10);
    expect(dead.pull(1, 10)).toHaveLength(1);
    await clock.advance(10);
    expect(queue.metrics().backlogCount).toBe(1);
    expect(dead.metrics().backlogCount).toBe(0);
  });
});

describe('configure()', () => {
  it('changes nothing that happened before', async () => {
    const { clock, push, pullOne, queue, queues } = openQueue({ maxRetries: 0 });
    push('a');
    pullOne(10);
    await clock.advance(10);
    queues.open('jobs', { maxRetries: 5 });
    expect(queue.metrics().backlogCount).toBe(0);
  });

  it('keeps what is not named', () => {
    const { queue, queues } = openQueue({ maxRetries: 7, deadLetterQueue: 'dead' });
    queues.open('jobs', { deliveryPaused: true });
    expect(queue.settings).toMatchObject({ maxRetries: 7, deadLetterQueue: 'dead', deliveryPaused: true });
  });

  it('sends dead letters where the last settings say', () => {
    const { push, pullOne, queue, queues } = openQueue({ maxRetries: 0, deadLetterQueue: 'old' });
    queues.open('jobs', { deadLetterQueue: 'new' });
    push('a');
    queue.retry(pullOne().leaseId);
    expect(queues.open('old').metrics().backlogCount).toBe(0);
    expect(queues.open('new').metrics().backlogCount).toBe(1);
  });

  it.each([
    [{ maxRetries: 101 }, "'maxRetries' must be an integer in 0..100: current value is 101"],
    [{ maxRetries: 1.5 }, "'maxRetries' must be an integer in 0..100: current value is 1.5"],
    [{ visibilityTimeoutMs: 0 }, "'visibilityTimeoutMs' must be an integer in 1..43200000: current value is 0"],
    [{ retryDelaySeconds: -1 }, "'retryDelaySeconds' must be an integer in 0..86400: current value is -1"],
    [{ deliveryDelaySeconds: 86_401 }, "'deliveryDelaySeconds' must be an integer in 0..86400: current value is 86401"],
    [{ retentionSeconds: 59 }, "'retentionSeconds' must be an integer in 60..1209600: current value is 59"],
    [{ deadLetterQueue: 'jobs' }, "'deadLetterQueue' must be another queue: current value is 'jobs'"],
    [{ deadLetterQueue: 'a b' }, "'deadLetterQueue' must be 1 to 63 letters"],
  ])('refuses %j', (settings, message) => {
    const { queue, queues } = openQueue();
    const before = queue.settings;
    expect(() => queues.open('jobs', settings)).toThrow(RangeError);
    expect(() => queues.open('jobs', settings)).toThrow(`Cannot configure queue 'jobs' as ${message}`);
    expect(queue.settings).toEqual(before);
  });

  it('refuses settings of the wrong type', () => {
    // @ts-expect-error a string is no number
    expect(() => openQueue({ maxRetries: '3' })).toThrow(TypeError);
    // @ts-expect-error 1 is no boolean
    expect(() => openQueue({ httpPull: 1 })).toThrow(TypeError);
    // @ts-expect-error 1 is no name
    expect(() => openQueue({ deadLetterQueue: 1 })).toThrow(TypeError);
  });
});

describe('retention', () => {
  it('removes a message exactly when it ends', async () => {
    const { clock, push, queue, journal } = openQueue({ retentionSeconds: 60 });
    const messageId = push('a');
    await clock.advance(59_999);
    expect(queue.metrics().backlogCount).toBe(1);
    await clock.advance(1);
    expect(queue.metrics().backlogCount).toBe(0);
    expect(journal.at(-1)).toEqual({ type: 'removed', reason: 'retention', queue: 'jobs', at: 60_000, messageId });
  });

  it('removes leased and delayed messages as well', async () => {
    const { clock, push, pullOne, queue } = openQueue({ retentionSeconds: 60 });
    push('leased');
    push('delayed', 100);
    const { leaseId } = pullOne(120_000);
    await clock.advance(60_000);
    expect(queue.metrics().backlogCount).toBe(0);
    expect(queue.ack(leaseId)).toBe(warnings.unknownLease);
  });

  it('counts from the arrival in a dead letter queue', async () => {
    const { clock, push, pullOne, queue, queues } = openQueue({ maxRetries: 0, deadLetterQueue: 'dead' });
    const dead = queues.open('dead', { retentionSeconds: 60 });
    push('a');
    await clock.advance(100_000);
    queue.retry(pullOne().leaseId);
    await clock.advance(59_999);
    expect(dead.metrics()).toMatchObject({ backlogCount: 1, oldestMessageTimestampMs: 0 });
    await clock.advance(1);
    expect(dead.metrics().backlogCount).toBe(0);
  });

  it('gives way to a lease that ends in the same millisecond', async () => {
    const { clock, push, pullOne, queues } = openQueue({
      retentionSeconds: 60,
      maxRetries: 0,
      deadLetterQueue: 'dead',
    });
    push('a');
    pullOne(60_000);
    await clock.advance(60_000);
    expect(queues.open('dead').metrics().backlogCount).toBe(1);
  });

  it('comes in the order of time, however late it is noticed', async () => {
    const { clock, push, pullOne, queue, journal } = openQueue({ retentionSeconds: 60, maxRetries: 0 });
    push('expires before');
    pullOne(59_000);
    push('would expire after');
    pullOne(61_000);
    await clock.advance(1_000_000);
    queue.metrics();
    expect(journal.slice(-3)).toMatchObject([
      { type: 'expired', at: 59_000 },
      { type: 'removed', reason: 'attempts', at: 59_000 },
      { type: 'removed', reason: 'retention', at: 60_000 },
    ]);
  });
});

describe('peek() and purge()', () => {
  it('show what a pull would give, without a lease, and delete by ref', () => {
    const { push, pullOne, pullTexts, queue } = openQueue();
    for (const text of ['leased', 'a', 'b', 'c']) push(text);
    push('delayed', 10);
    pullOne();
    const peeked = queue.peek(2);
    expect(peeked.map((message) => [message.body.text, message.attempts])).toEqual([
      ['a', 0],
      ['b', 0],
    ]);
    expect(queue.peek(100).map((message) => message.body.text)).toEqual(['a', 'b', 'c']);
    expect(queue.peek(2)).toEqual(peeked);
    expect(peeked.map(({ ref }) => queue.purge(ref))).toEqual([true, true]);
    expect(peeked.map(({ ref }) => queue.purge(ref))).toEqual([false, false]);
    expect(pullTexts()).toEqual(['c']);
  });

  it('delete a message that somebody leased meanwhile', () => {
    const { push, pullOne, queue } = openQueue();
    push('a');
    const [peeked] = queue.peek(1);
    const { leaseId } = pullOne();
    expect(queue.purge(peeked?.ref ?? '')).toBe(true);
    expect(queue.ack(leaseId)).toBe(warnings.unknownLease);
  });

  it('take no lease id for a ref, nor a ref for a lease id', () => {
    const { push, pullOne, queue } = openQueue();
    push('a');
    const ref = queue.peek(1)[0]?.ref ?? '';
    const { leaseId } = pullOne();
    expect(queue.purge(leaseId)).toBe(false);
    expect(queue.ack(ref)).toBe(warnings.unknownLease);
    expect(queue.metrics().backlogCount).toBe(1);
  });
});

describe('purgeAll()', () => {
  it('deletes waiting, delayed and leased messages', () => {
    const { push, pullOne, queue, journal } = openQueue();
    push('leased');
    push('ready');
    push('delayed', 5);
    const { leaseId } = pullOne();
    queue.purgeAll();
    expect(queue.metrics()).toEqual({ backlogCount: 0, backlogBytes: 0, oldestMessageTimestampMs: 0 });
    expect(queue.ack(leaseId)).toBe(warnings.unknownLease);
    expect(journal.filter((entry) => entry.type === 'removed' && entry.reason === 'purge')).toHaveLength(3);
  });
});

describe('metrics()', () => {
  it('counts every message that is not acknowledged, and its bytes', async () => {
    const { clock, push, pullOne, queue } = openQueue();
    await clock.advance(5);
    push('é');
    await clock.advance(5);
    push('abc', 60);
    const { leaseId } = pullOne();
    expect(queue.metrics()).toEqual({ backlogCount: 2, backlogBytes: 5, oldestMessageTimestampMs: 5 });
    queue.ack(leaseId);
    expect(queue.metrics()).toEqual({ backlogCount: 1, backlogBytes: 3, oldestMessageTimestampMs: 10 });
  });
});

describe('time', () => {
  it('is the wall clock, which also passes while the machine sleeps, and may go back', () => {
    const { clock, push, pullTexts } = openQueue();
    push('a');
    pullTexts(10);
    clock.suspend(10);
    expect(pullTexts(10)).toEqual(['a']);
    clock.jump(-1_000);
    expect(pullTexts(10)).toEqual([]);
    clock.jump(1_010);
    expect(pullTexts(10)).toEqual(['a']);
  });
});

describe('ids', () => {
  it('differ even when the source of chance does not', async () => {
    const { Identities } = await import('../../../src/broker/queue/identities.ts');
    const identities = new Identities(() => 0);
    const ids = Array.from({ length: 1_000 }, () => identities.messageId());
    expect(new Set(ids).size).toBe(1_000);
  });
});
