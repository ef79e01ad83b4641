import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Broker, createBroker, type JournalEntry, ManualClock } from '../../src/broker.ts';

interface Moved {
  readonly unmoved: readonly string[];
  readonly moved: number;
  readonly copied: number;
  readonly left: number;
  readonly reason: string | undefined;
}

type Call = (queue: { readonly id: string }, path: string, body: unknown) => Promise<unknown>;
type Redrive = (call: Call, job: { from: object; to: object; now: () => number }) => Promise<Moved>;

const { redrive } = (await import(join(import.meta.dirname, '../../src/cli/page/redrive.js'))) as { redrive: Redrive };

let clock: ManualClock;
let broker: Broker;
let journal: JournalEntry[];
/** How long a push takes. */
let pushMs: number;

beforeEach(() => {
  clock = new ManualClock();
  journal = [];
  pushMs = 0;
  broker = createBroker({
    clock,
    queues: { jobs: { deadLetterQueue: 'dead' }, dead: {} },
    onJournal: (entry) => journal.push(entry),
  });
});

const call: Call = async ({ id }, path, body) => {
  if (path === '/messages') await clock.advance(pushMs);
  const { accountId, baseUrl, apiToken } = broker.queue('jobs');
  const answer = await broker.fetch(`${baseUrl}/accounts/${accountId}/queues/${id}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiToken}` },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const { result, errors } = (await answer.json()) as { result: unknown; errors: readonly { message: string }[] };
  if (!answer.ok) throw new Error(errors[0]?.message);
  return result;
};

const run = (through: Call = call): Promise<Moved> => {
  const [from, to] = ['dead', 'jobs'].map((name) => ({ id: broker.queue(name).queueId, maxRetries: 3 }));
  return redrive(through, { from: from ?? {}, to: to ?? {}, now: () => clock.monotonic() });
};
const fill = (count: number, unpushable = 0): void => {
  for (let id = 0; id < unpushable; id += 1) broker.push('dead', { body: Uint8Array.of(id) });
  for (let id = 0; id < count; id += 1) broker.push('dead', { body: id % 2 === 0 ? { id } : `text ${id}` });
};
const entries = (type: JournalEntry['type']): JournalEntry[] => journal.filter((entry) => entry.type === type);
const attempts = (): number[] => broker.inspect('dead').messages.map((message) => message.attempts);

describe('the redrive of the page', () => {
  it('moves everything', async () => {
    fill(120);
    expect(await run()).toEqual({ moved: 120, copied: 0, left: 0, unmoved: [], reason: undefined });
    expect([broker.isEmpty('dead'), broker.inspect('jobs').counts.ready]).toEqual([true, 120]);
  });

  it('gives back what it does not move, before its leases end, and stops then', async () => {
    fill(200, 2);
    pushMs = 500;
    const { moved, left, reason } = await run();
    expect([moved + broker.inspect('dead').counts.total, reason]).toEqual([202, expect.any(String)]);
    expect([moved > 49, left >= 2, left < 52]).toEqual([true, true, true]);
    expect([entries('expired'), broker.inspect('dead').counts.leased]).toEqual([[], 0]);
    expect(Math.max(...attempts())).toBe(1);
  });

  it('begins no push whose lease may end before it, and gives those messages back in time', async () => {
    fill(50);
    pushMs = 5_000;
    const { moved, left, reason } = await run();
    expect([moved + left, reason]).toEqual([50, expect.any(String)]);
    expect(broker.inspect('dead').counts).toMatchObject({ ready: left, leased: 0 });
    expect([entries('expired'), broker.inspect('jobs').counts.total]).toEqual([[], moved]);
  });

  it('takes nothing twice that comes again although it is leased', async () => {
    fill(0, 3);
    broker.setFaults({ repeat: 1 });
    expect(await run()).toMatchObject({ moved: 0, left: 3, reason: expect.any(String) });
    expect(attempts()).toEqual([2, 2, 2]);
  });

  it('leases nothing that giving back would delete', async () => {
    fill(2, 1);
    for (let time = 0; time < 3; time += 1) await run();
    expect([attempts(), await run()]).toMatchObject([[3], { moved: 0, left: 0, reason: expect.any(String) }]);
    expect(broker.inspect('dead').counts.total).toBe(1);
  });

  it.each(['plain', 'base64'] as const)('moves JSON to the last character where it comes %s', async (jsonBodies) => {
    broker = createBroker({ clock, queues: { jobs: { deadLetterQueue: 'dead' }, dead: {} }, jsonBodies });
    const texts = ['{"id":1234567890123456789, "price": 1.10, "é":1E400}', '"string"'];
    for (const body of texts) broker.push('dead', { body, contentType: 'json', raw: true });
    expect(await run()).toMatchObject({ moved: 2 });
    const pull = { queue: broker.transport('jobs') };
    const { messages } = await pull.queue.pull({ batchSize: 10 });
    expect(messages.map(({ raw }) => raw)).toEqual([texts[0], 'string']);
  });

  it('tells of each message that it can not move, and why', async () => {
    fill(1, 1);
    broker.push('dead', { body: '{broken', contentType: 'json', raw: true });
    const { unmoved, ...moved } = await run();
    const [bytes, json] = broker.inspect('dead').messages.map(({ id }) => id);
    expect(moved).toMatchObject({ moved: 1, left: 2 });
    expect(unmoved).toEqual([expect.stringMatching(`${bytes}.*bytes`), expect.stringMatching(`${json}.*json`)]);
  });

  it('gives back the rest when a push fails', async () => {
    fill(10);
    let pushes = 0;
    const failing: Call = (queue, path, body) => {
      if (path === '/messages' && (pushes += 1) > 3) return Promise.reject(new Error('no'));
      return call(queue, path, body);
    };
    expect(await run(failing)).toEqual({ moved: 3, copied: 0, left: 7, unmoved: [], reason: 'no' });
    expect(broker.inspect('dead').counts).toMatchObject({ ready: 7, leased: 0 });
  });

  it('acknowledges again what it could not at first, and tells what may be in both queues', async () => {
    fill(10);
    let acks = 0;
    const failing =
      (isFailing: () => boolean): Call =>
      (queue, path, body) =>
        path.endsWith('/ack') && isFailing() ? Promise.reject(new Error('no')) : call(queue, path, body);
    expect(await run(failing(() => (acks += 1) === 4))).toMatchObject({ moved: 10, copied: 0, left: 0 });
    expect([broker.isEmpty('dead'), broker.inspect('jobs').counts.total]).toEqual([true, 10]);
    fill(10);
    acks = 0;
    const { moved, copied, left, reason } = await run(failing(() => (acks += 1) > 3));
    expect({ moved, copied, left, reason }).toEqual({ moved: 3, copied: 1, left: 6, reason: 'no' });
    expect(broker.inspect('jobs').counts.total).toBe(14);
  });

  it('tells what it did when it can not pull', async () => {
    fill(60);
    let pulls = 0;
    const failing: Call = (queue, path, body) =>
      path.endsWith('/pull') && (pulls += 1) > 1 ? Promise.reject(new Error('no')) : call(queue, path, body);
    expect(await run(failing)).toMatchObject({ moved: 50, left: 0, reason: 'no' });
  });
});
