import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/broker.ts';
import { openQueue, QueueError } from '../../src/index.ts';
import { toWritableStream } from '../../src/web.ts';
import { fromBinding, type QueueBinding } from '../../src/workers.ts';

/** A binding that notes what it is given, as it is written, and fails as it is told to. */
function noteTaker(
  failWith: (call: number) => Error | undefined = () => undefined,
): QueueBinding & { readonly notes: unknown[] } {
  const notes: unknown[] = [];
  const note = async (...given: unknown[]): Promise<void> => {
    notes.push(JSON.stringify(given));
    const error = failWith(notes.length);
    if (error !== undefined) throw error;
  };
  return { notes, send: note, sendBatch: (messages, options) => note([...messages], options) };
}

describe('fromBinding()', () => {
  it('sends by the binding', async () => {
    const binding = noteTaker();
    const queue = openQueue(fromBinding(binding));
    await queue.send('text', { delaySeconds: 5 });
    await queue.send({ a: [1, null] });
    await queue.sendBatch([{ body: 'b' }, { body: 3 }], { delaySeconds: 7 });
    expect(binding.notes).toEqual([
      '["text",{"contentType":"text","delaySeconds":5}]',
      '[{"a":[1,null]},{"contentType":"json"}]',
      '[[{"body":"b","contentType":"text","delaySeconds":7},{"body":3,"contentType":"json","delaySeconds":7}],{}]',
    ]);
  });

  it('sends in batches that the service takes, and by streams', async () => {
    const binding = noteTaker();
    const queue = openQueue(fromBinding(binding));
    await queue.sendBatch(Array.from({ length: 250 }, (_, body) => ({ body })));
    expect(binding.notes).toHaveLength(3);
    const writer = toWritableStream(queue).getWriter();
    await Promise.all([1, 2, 3].map((each) => writer.write(each)));
    await writer.close();
    expect(binding.notes).toHaveLength(4);
    await expect(queue.send('x'.repeat(128_001))).rejects.toThrow(RangeError);
    await expect(queue.send(new Map())).rejects.toThrow(TypeError);
    expect(binding.notes).toHaveLength(4);
  });

  it.each([
    ['Queue send failed: Payload Too Large', 'too-large'],
    ['Queue send failed: Bad Request', 'refused'],
    ['Message is too large (10204)', 'too-large'],
    ['No such queue (11000)', 'not-found'],
  ])('gives what failed for good as a QueueError: %s', async (text, code) => {
    const cause = new Error(text);
    const binding = noteTaker(() => cause);
    const error = await openQueue(fromBinding(binding))
      .send(1)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(QueueError);
    expect(error).toMatchObject({ code, cause });
    expect(binding.notes).toHaveLength(1);
  });

  it('passes on what the binding says of a value', async () => {
    const cause = new TypeError('no such content type');
    await expect(fromBinding(noteTaker(() => cause)).transport.push({ body: 1 })).rejects.toBe(cause);
  });

  it.each([
    ['Queue send failed: Too Many Requests', 'rate-limited'],
    ['Queue is full (10251)', 'queue-unavailable'],
    ['Queue send failed: Internal Server Error', 'service-failed'],
    ['Network connection lost.', 'service-failed'],
  ])('repeats what may pass: %s', async (text, code) => {
    const clock = new ManualClock();
    const binding = noteTaker((call) => (call < 3 ? new Error(text) : undefined));
    await clock.runUntil(openQueue({ ...fromBinding(binding), clock }).send(1));
    expect(binding.notes).toHaveLength(3);
    const failing = openQueue({ ...fromBinding(noteTaker(() => new Error(text))), clock });
    await expect(clock.runUntil(failing.send(1))).rejects.toMatchObject({ code });
  });

  it('can neither be pulled from, nor loops in vain', async () => {
    const queue = openQueue(fromBinding(noteTaker()));
    await expect(queue.process(() => undefined)).rejects.toThrow(/only sends.*toQueueHandler/);
    await expect(queue.metrics()).rejects.toMatchObject({ code: 'transport-failed' });
  });

  it('tells metrics where the binding does', async () => {
    const oldestMessageTimestamp = new Date(5_000);
    const metrics = async (): Promise<unknown> => ({ backlogCount: 2, backlogBytes: 9, oldestMessageTimestamp });
    const queue = openQueue(fromBinding({ ...noteTaker(), metrics }));
    expect(await queue.metrics()).toEqual({ backlogCount: 2, backlogBytes: 9, oldestMessageTimestampMs: 5_000 });
  });

  it.each([undefined, null, {}, 'JOBS', { send: () => 1 }])('refuses %j', (binding) => {
    expect(() => fromBinding(binding as never)).toThrow(/^Cannot open a queue as 'binding' must be a queue binding/);
    expect(() => fromBinding(binding as never)).toThrow(TypeError);
  });
});
