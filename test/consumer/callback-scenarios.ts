import { expect, vi } from 'vitest';
import { createBroker, ManualClock } from '../../src/broker.ts';
import type { Clock } from '../../src/contract/clock.ts';
import type { Schema, SchemaResult } from '../../src/contract/schema.ts';
import { systemClock } from '../../src/contract/system-clock.ts';
import {
  type ConsumerEvent,
  type ConsumerSummary,
  type HandleOptions,
  type LeasedMessage,
  type Observer,
  openQueue,
  type ProcessOptions,
  type Queue,
  QueueError,
  type QueueTransport,
} from '../../src/index.ts';
import { toWritable } from '../../src/node.ts';
import { openJobs } from './jobs.ts';
import { commit, type Given, type Misdeed, Mistake } from './misdeeds.ts';

/** Has a callback do something once, or always; gives what came of it, in the words of the table. */
export type Scenario = (misdeed: Misdeed) => Promise<string>;

const message = { attempts: 1, bodyLength: 1, timestampMs: 0, contentType: 'text', metadata: {}, body: 'x' } as const;

const givenBy: Readonly<Record<'pull' | 'ack' | 'push' | 'bulkPush' | 'metrics', Given>> = {
  pull: { plain: { messages: [] }, nonsense: { messages: [{ ...message, id: 'a' }] } },
  ack: {
    plain: { ackCount: 1, retryCount: 0, warnings: new Map(), otherWarnings: [] },
    nonsense: { ackCount: 1, warnings: {}, otherWarnings: [] },
  },
  push: { plain: {}, nonsense: 'pushed' },
  bulkPush: { plain: {}, nonsense: Number.NaN },
  metrics: { plain: { backlogCount: 0 }, nonsense: { backlogCount: Number.NaN } },
};

type Method = keyof typeof givenBy;

/** A queue with one message, and how often its transport misbehaves: with the first calls of a method. */
function openMisbehaving(method: Method, misdeed: Misdeed, times = 1) {
  const jobs = openJobs({ maxRetries: 50 });
  jobs.push('x');
  const beneath = jobs.broker.transport('jobs');
  let calls = 0;
  const transport = new Proxy(beneath, {
    get: (_, name: keyof QueueTransport) => (request: never, options: never) => {
      if (name === method) calls += 1;
      if (name !== method || calls > times) return beneath[name](request, options);
      if (misdeed === 'gives no promise' && method === 'ack') void beneath.ack(request);
      return commit(misdeed, givenBy[method]);
    },
  });
  return { ...jobs, queue: openQueue({ transport, clock: jobs.clock, random: () => 0.5 }) };
}

const codeOf = (error: unknown): string => (error as QueueError).code;

/** Works off a queue; what became of the message that it has. */
async function work(clock: ManualClock, queue: Queue, options: ProcessOptions = {}): Promise<string> {
  const codes: string[] = [];
  const onEvent = (event: ConsumerEvent): void => {
    if (event.type === 'pullFailed' || event.type === 'settleFailed') codes.push(codeOf(event.error));
    if (event.type === 'pullOverdue') codes.push('overdue');
  };
  const handled: unknown[] = [];
  const handler = (each: LeasedMessage): void => void handled.push(each.body);
  try {
    await clock.runUntil(queue.process(handler, { stopWhenEmpty: { forMs: 600_000 }, onEvent, ...options }));
  } catch (error) {
    expect(error).toBeInstanceOf(QueueError);
    return `${codeOf(error)}, ends`;
  }
  expect(new Set(handled)).toEqual(new Set(['x']));
  return codes.length === 0 ? 'taken' : `${codes.join()}, again`;
}

const consuming =
  (method: 'pull' | 'ack'): Scenario =>
  async (misdeed) => {
    const { clock, queue, broker } = openMisbehaving(method, misdeed);
    const outcome = await work(clock, queue);
    expect(broker.inspect('jobs').counts.total).toBe(outcome.endsWith('ends') ? 1 : 0);
    expect(clock.pendingTimers).toBe(0);
    return outcome;
  };

/** What a promise comes to. */
async function outcomeOf(clock: ManualClock, promise: Promise<unknown>): Promise<string> {
  try {
    await clock.runUntil(promise);
    return 'taken';
  } catch (error) {
    expect(error).toBeInstanceOf(QueueError);
    return codeOf(error);
  }
}

const pushing =
  (method: 'push' | 'bulkPush'): Scenario =>
  async (misdeed) => {
    const items = method === 'push' ? [{ body: 1 }] : [{ body: 1 }, { body: 2 }];
    const push = async (times: number): Promise<[outcome: string, pushed: number]> => {
      const { clock, queue, broker } = openMisbehaving(method, misdeed, times);
      const outcome = await outcomeOf(clock, queue.sendBatch(items));
      return [outcome, broker.inspect('jobs').counts.total - 1];
    };
    const [always] = await push(Infinity);
    const [once, pushed] = await push(1);
    if (once === always) return once === 'taken' ? once : `${once}, fails`;
    expect([once, pushed]).toEqual(['taken', items.length]);
    return `${always}, again`;
  };

const metrics: Scenario = async (misdeed) => {
  const { clock, queue } = openMisbehaving('metrics', misdeed);
  const outcome = await outcomeOf(clock, queue.metrics({ timeoutMs: 1_000 }));
  return outcome === 'taken' ? outcome : `${outcome}, fails`;
};

const fetching: Scenario = async (misdeed) => {
  const clock = new ManualClock();
  const broker = createBroker({ clock, queues: { jobs: {} } });
  broker.push('jobs', { body: 'x' });
  const empty = { success: true, errors: [], messages: [], result: { messages: [] } };
  const nonsense = { status: Number.NaN, headers: new Headers(), text: async () => 5 };
  let isFirst = true;
  const fetch = (url: string, init: RequestInit): unknown => {
    if (!isFirst) return broker.fetch(new Request(url, init));
    isFirst = false;
    return commit(misdeed, { plain: Response.json(empty), nonsense });
  };
  const queue = openQueue({ ...broker.queue('jobs'), clock, fetch: fetch as never, random: () => 0.5 });
  const outcome = await work(clock, queue);
  expect(broker.isEmpty('jobs')).toBe(true);
  return outcome;
};

const hooking =
  (name: 'onRequest' | 'onResponse'): Scenario =>
  async (misdeed) => {
    const clock = new ManualClock();
    const broker = createBroker({ clock, queues: { jobs: { maxRetries: 50 } } });
    broker.push('jobs', { body: 'x' });
    let isFirst = true;
    const hook = (): unknown => {
      if (!isFirst) return undefined;
      isFirst = false;
      return commit(misdeed, { plain: undefined, nonsense: { retry: 5 } });
    };
    const queue = openQueue({ ...broker.queue('jobs'), clock, http: { [name]: hook }, random: () => 0.5 });
    const outcome = await work(clock, queue);
    expect(broker.inspect('jobs').counts.total).toBe(outcome.endsWith('ends') ? 1 : 0);
    expect(clock.pendingTimers).toBe(0);
    return outcome;
  };

function schemaOf(validate: (value: unknown) => unknown): Schema {
  return { '~standard': { version: 1, vendor: 'test', validate: validate as () => SchemaResult<unknown> } };
}

const schema: Scenario = async (misdeed) => {
  let isFirst = true;
  const validate = (value: unknown): unknown => {
    if (!isFirst) return { value };
    isFirst = false;
    return commit(misdeed, { plain: { value }, nonsense: {} });
  };
  return judging({ schema: schemaOf(validate) });
};

const decode: Scenario = async (misdeed) => {
  let isFirst = true;
  const make = (raw: unknown): unknown => {
    if (!isFirst) return raw;
    isFirst = false;
    return commit(misdeed, { plain: raw, nonsense: Number.NaN });
  };
  return judging({ decode: make });
};

/** Works off a message that a callback judges; what came of it. */
async function judging(options: Pick<HandleOptions<unknown>, 'schema' | 'decode'>): Promise<string> {
  const jobs = openJobs({ maxRetries: 50 }, options);
  jobs.push('x');
  const summary = await jobs.run(jobs.queue.process(() => 1, { stopWhenEmpty: { forMs: 600_000 } }));
  expect(summary).toMatchObject({ acked: 1, delivered: 1 });
  if (summary.invalid === 1) expect(summary.lastError).toBeInstanceOf(Error);
  if (summary.dropped === 1) return 'comes again';
  return summary.invalid === 0 ? 'taken' : 'invalid';
}

/** Whether what a callback did is the last error: those of the library and of handlers are of another class here. */
const isNoted = ({ lastError }: ConsumerSummary): boolean =>
  lastError instanceof Error && !(lastError instanceof QueueError);

const onInvalid: Scenario = async (misdeed) => {
  let isFirst = true;
  const validate = (value: unknown): unknown => {
    const isValid = !isFirst;
    isFirst = false;
    return isValid ? { value } : { issues: [{ message: 'not yet' }] };
  };
  const jobs = openJobs({ maxRetries: 50 }, { schema: schemaOf(validate) });
  jobs.push('x');
  const decide = (): unknown => commit(misdeed, { plain: 'ack', nonsense: 'drop' });
  const options = { stopWhenEmpty: { forMs: 600_000 }, onInvalid: decide as () => 'ack' };
  const summary = await jobs.run(jobs.queue.process(() => 1, options));
  expect(jobs.broker.isEmpty('jobs')).toBe(true);
  if (summary.delivered === 0) return 'taken';
  if (jobs.entries('expired').length === 1) return 'comes again';
  expect(jobs.entries('retried')).toHaveLength(1);
  return isNoted(summary) ? 'retried, noted' : 'retried';
};

/** Works off a message whose first handler fails. */
async function failOnce(jobs: ReturnType<typeof openJobs>, options: ProcessOptions): Promise<ConsumerSummary> {
  jobs.push('x');
  const handler = ({ attempts }: LeasedMessage): void => {
    if (attempts === 1) throw new QueueError('not yet', { code: 'refused' });
  };
  const summary = await jobs.run(jobs.queue.process(handler, { stopWhenEmpty: { forMs: 600_000 }, ...options }));
  expect(summary).toMatchObject({ acked: 1, retried: 1, lost: 0 });
  return summary;
}

const onEvent: Scenario = async (misdeed) => {
  const tell = (): unknown => commit(misdeed, { plain: 1, nonsense: Number.NaN });
  const summary = await failOnce(openJobs(), { onEvent: tell });
  return isNoted(summary) ? 'noted' : 'ignored';
};

const observer: Scenario = async (misdeed) => {
  const wrong = (): unknown => commit(misdeed, { plain: 1, nonsense: { end: 5, run: 5 } });
  const begin = (): object => ({ end: wrong, run: wrong });
  const told = { open: wrong, consume: wrong, event: wrong };
  const inAll = { ...told, send: wrong, receive: wrong, process: wrong, settle: wrong };
  const inOperations = { send: begin, receive: begin, process: begin, settle: begin };
  const observers = [inAll, inOperations] as unknown as readonly Observer[];
  const jobs = openJobs({}, { observer: observers });
  const summary = await failOnce(jobs, {});
  await jobs.run(jobs.queue.send('y'));
  return isNoted(summary) ? 'noted' : 'ignored';
};

const onRejected: Scenario = async (misdeed) => {
  const jobs = openJobs();
  const take = (): unknown => commit(misdeed, { plain: 1, nonsense: Number.NaN });
  const writable = toWritable(jobs.queue, { onRejected: take });
  const ended = new Promise<unknown>((resolve) => writable.on('error', resolve).on('finish', () => resolve('taken')));
  writable.write(1n);
  writable.end('good');
  const outcome = await Promise.race([ended, jobs.clock.advance(600_000).then(() => 'the stream waits')]);
  expect(jobs.broker.inspect('jobs').messages).toMatchObject([{ body: 'good' }]);
  if (outcome === 'the stream waits') await jobs.run(new Promise((resolve) => writable.destroy().on('close', resolve)));
  if (typeof outcome === 'string') return outcome;
  expect(outcome).toBeInstanceOf(misdeed === 'throws an Error' ? Mistake : TypeError);
  return 'the stream fails';
};

const retryDelaySeconds: Scenario = async (misdeed) => {
  const jobs = openJobs();
  const judge = (): unknown => commit(misdeed, { plain: 7, nonsense: Number.NaN });
  const summary = await failOnce(jobs, { retryDelaySeconds: judge as () => number });
  const [{ delaySeconds } = { delaySeconds: undefined }] = jobs.entries('retried');
  if (delaySeconds === 7 && !isNoted(summary)) return 'taken';
  // 2^1 seconds, of which half is drawn.
  return delaySeconds === 2 && isNoted(summary) ? 'default delay, noted' : 'lost';
};

const key: Scenario = async (misdeed) => {
  const jobs = openJobs({ maxRetries: 50 });
  jobs.push('x');
  let isFirst = true;
  const tell = (): unknown => {
    if (!isFirst) return 'x';
    isFirst = false;
    return commit(misdeed, { plain: 'x', nonsense: Number.NaN });
  };
  const options = { key: tell as () => string, stopWhenEmpty: { forMs: 600_000 } };
  const summary = await jobs.run(jobs.queue.process(() => 1, options));
  expect(summary).toMatchObject({ acked: 1, delivered: 1 });
  if (summary.invalid === 1) expect(summary.lastError).toBeInstanceOf(Error);
  return summary.invalid === 0 ? 'taken' : 'invalid';
};

const random: Scenario = async (misdeed) => {
  vi.spyOn(Math, 'random').mockReturnValue(0.99);
  const jobs = openJobs({}, { random: () => commit(misdeed, { plain: 0.25, nonsense: -3 }) as number });
  await failOnce(jobs, {});
  const [{ delaySeconds } = { delaySeconds: undefined }] = jobs.entries('retried');
  // 2^1 seconds, of which half is drawn.
  return delaySeconds === 2 ? 'Math.random()' : 'taken';
};

/** What a message says of its lease, on a clock of which one method misbehaves. */
async function timed(misdeed: Misdeed, name: 'now' | 'monotonic'): Promise<{ endsAt: number; leftMs: number }> {
  const clock = new ManualClock({ now: 1_000_000 });
  const broker = createBroker({ clock, queues: { jobs: {} } });
  broker.push('jobs', { body: 'x' });
  const now = vi.spyOn(systemClock, 'now').mockReturnValue(5_000_000);
  const monotonic = vi.spyOn(systemClock, 'monotonic').mockReturnValue(50);
  const own: Clock = {
    // Stands still, where it is the other that counts.
    now: () => (name === 'now' ? 1_000_000 : 2_000_000),
    monotonic: () => clock.monotonic(),
    setTimer: (callback, delayMs) => clock.setTimer(callback, delayMs),
    [name]: () => commit(misdeed, { plain: name === 'now' ? 1_000_000 : 70, nonsense: Number.NaN }),
  };
  const queue = openQueue({ transport: broker.transport('jobs'), clock: own });
  let seen = { endsAt: 0, leftMs: 0 };
  const handler = (each: LeasedMessage): void => {
    monotonic.mockReturnValue(1_050);
    now.mockReturnValue(5_001_000);
    seen = { endsAt: each.leaseExpiresAt, leftMs: each.leaseRemainingMs };
  };
  const summary = await clock.runUntil(queue.process(handler, { stopWhenEmpty: true }));
  expect(summary).toMatchObject({ acked: 1 });
  await clock.runUntil(queue.send('y'));
  expect(clock.pendingTimers).toBe(0);
  return seen;
}

const now: Scenario = async (misdeed) => {
  const { endsAt } = await timed(misdeed, 'now');
  expect([1_030_000, 5_030_000]).toContain(endsAt);
  return endsAt === 5_030_000 ? "the machine's" : 'taken';
};

const monotonic: Scenario = async (misdeed) => {
  const { leftMs } = await timed(misdeed, 'monotonic');
  expect([29_000, 30_000]).toContain(leftMs);
  return leftMs === 29_000 ? "the machine's" : 'taken';
};

const setTimer: Scenario = async (misdeed) => {
  const clock = new ManualClock();
  const broker = createBroker({ clock, queues: { jobs: {} } });
  broker.push('jobs', { body: 'x' });
  const machines = vi.spyOn(systemClock, 'setTimer').mockImplementation((...args) => clock.setTimer(...args));
  const silence = { cancel: () => undefined, ref: () => undefined, unref: () => undefined };
  const own: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    setTimer: (...args) => {
      if (misdeed === 'gives no promise') return clock.setTimer(...args);
      return commit(misdeed, { plain: undefined, nonsense: 5, silence }) as never;
    },
  };
  const queue = openQueue({ transport: broker.transport('jobs'), clock: own });
  const done = clock.runUntil(queue.process(() => 1, { stopWhenEmpty: true }));
  if (misdeed === 'never answers') {
    await expect(done).rejects.toThrow('Cannot run on');
    return 'waits';
  }
  expect(await done).toMatchObject({ acked: 1 });
  return machines.mock.calls.length > 0 ? "the machine's" : 'taken';
};

/** By the names that the table has. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  'transport.pull': consuming('pull'),
  'transport.ack': consuming('ack'),
  'transport.push': pushing('push'),
  'transport.bulkPush': pushing('bulkPush'),
  'transport.metrics': metrics,
  fetch: fetching,
  'http.onRequest': hooking('onRequest'),
  'http.onResponse': hooking('onResponse'),
  'schema validate': schema,
  decode,
  onInvalid,
  onEvent,
  observer,
  onRejected,
  key,
  retryDelaySeconds,
  random,
  'clock.now': now,
  'clock.monotonic': monotonic,
  'clock.setTimer': setTimer,
};
