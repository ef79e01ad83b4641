import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Broker, type BrokerServer, createBroker, type JournalEntry, ManualClock } from '../../src/broker.ts';
import { hastyClock } from './hasty-clock.ts';
import { environmentOf, type Ran, runCli, type RunSettings } from './run-cli.ts';

let clock: ManualClock;
let broker: Broker;
let server: BrokerServer;
let journal: JournalEntry[];
/** What happens before a request of that kind is carried out, or what it is answered with instead. */
let before: { pull?: () => unknown; ack?: () => unknown; peek?: () => unknown };
/** What happens between the effect of a pull and its answer. */
let afterPull: () => unknown;

beforeEach(async () => {
  clock = new ManualClock();
  journal = [];
  before = {};
  afterPull = () => undefined;
  const queues = { jobs: { maxRetries: 3, deadLetterQueue: 'dead' }, dead: { maxRetries: 100 } };
  broker = createBroker({ clock, queues, onJournal: (entry) => journal.push(entry) });
  server = await broker.listen({
    intercept: async (request, next) => {
      const [, kind = ''] = /\/messages\/(pull|ack|peek)$/.exec(request.url) ?? [];
      const stray = await before[kind as keyof typeof before]?.();
      if (stray instanceof Response) return stray;
      const answer = await next(request);
      if (kind === 'pull') await afterPull();
      return answer;
    },
  });
});

afterEach(() => server.close());

const run = (line: string, settings: RunSettings = {}): Promise<Ran> =>
  runCli(line.split(' '), { environment: environmentOf(server), clock, ...settings });
const fill = (count: number): void => {
  for (let id = 0; id < count; id += 1) broker.push('jobs', { body: { id } });
};
const idsOf = (ran: Ran): unknown[] => ran.json.map(({ body }) => body.id);
const attempts = (): number[] => broker.inspect('jobs').messages.map((message) => message.attempts);
const entries = (type: JournalEntry['type']): JournalEntry[] => journal.filter((entry) => entry.type === type);
/** Delivers all that is visible so many times, and gives it back. */
const deliver = async (times: number): Promise<void> => {
  for (let time = 0; time < times; time += 1) {
    const transport = broker.transport('jobs');
    const { messages } = await transport.pull({ batchSize: 100 });
    await transport.ack({ acks: [], retries: messages.map(({ leaseId }) => ({ leaseId, delaySeconds: 0 })) });
  }
  journal = [];
};

describe('a look', () => {
  it('leases nothing, counts no attempt, and says what it does not show', async () => {
    fill(250);
    before.pull = () => clock.advance(60_000);
    const ran = await run('pull jobs --visibility-timeout 1s');
    expect([ran.code, idsOf(ran)]).toEqual([0, Array.from({ length: 100 }, (_, id) => id)]);
    expect(ran.stderr).toMatch(/^150 more are in jobs.*--leave.*--ack/s);
    expect(new Set(attempts())).toEqual(new Set([0]));
    expect([broker.isEmpty('dead'), entries('delivered')]).toEqual([true, []]);
  });

  it('may be taken again and again, at messages on their last attempt too', async () => {
    fill(3);
    await deliver(3);
    for (let look = 0; look < 5; look += 1) expect(idsOf(await run('pull jobs'))).toEqual([0, 1, 2]);
    expect([attempts(), journal]).toEqual([[3, 3, 3], []]);
  });

  it('shows at most --max, and tells that it could not show as many as that', async () => {
    fill(130);
    expect(await run('pull jobs --max 2 --bodies')).toMatchObject({
      code: 0,
      stdout: '{"id":0}\n{"id":1}\n',
      stderr: '',
    });
    const ran = await run('pull jobs --max 120');
    expect([ran.code, ran.json.length, ran.stderr]).toEqual([3, 100, expect.stringMatching(/^30 more are in jobs/)]);
  });

  it('counts what is leased or delayed among the rest', async () => {
    fill(2);
    broker.push('jobs', { body: { id: 2 }, delaySeconds: 60 });
    const ran = await run('pull jobs');
    expect([ran.code, idsOf(ran), ran.stderr]).toEqual([0, [0, 1], expect.stringMatching(/^1 more is in jobs/)]);
  });
});

describe('pull --leave', () => {
  it('stops before the first lease ends, gives back in time, and says how many are left and how to go on', async () => {
    fill(1_000);
    before.pull = () => clock.advance(1_000);
    const ran = await run('pull jobs --leave --max 5000 --visibility-timeout 10s');
    const shown = idsOf(ran).length;
    expect([ran.code, new Set(idsOf(ran)).size]).toEqual([3, shown]);
    expect(shown).toBeGreaterThan(99);
    expect(shown).toBeLessThan(1_000);
    expect(ran.stderr).toMatch(new RegExp(`^${1_000 - shown} more are in jobs.*--visibility-timeout`, 's'));
    expect(broker.inspect('jobs').counts).toMatchObject({ ready: 1_000, leased: 0 });
    expect(attempts().filter((count) => count === 1)).toHaveLength(shown);
    expect([entries('expired'), entries('deadLettered'), entries('retried').length]).toEqual([[], [], shown]);
    expect(entries('retried').filter((entry) => 'late' in entry && entry.late)).toEqual([]);
  });

  it('holds nothing while it prints, however long that takes', async () => {
    fill(250);
    let taken: () => void = () => undefined;
    const settings = { taken: new Promise<void>((resolve) => (taken = resolve)) };
    let leased = Number.NaN;
    const ran = await run('pull jobs --leave', {
      ...settings,
      onOutput: () => {
        leased = broker.inspect('jobs').counts.leased;
        void clock.advance(600_000).then(taken);
      },
    });
    expect([ran.code, ran.json.length, leased]).toEqual([0, 250, 0]);
    expect(new Set(attempts())).toEqual(new Set([1]));
    expect(entries('expired')).toEqual([]);
  });

  it.each([0, 1, 3])('leases nothing that would be gone after it, of %i retries', async (maxRetries) => {
    broker.queue('jobs', { maxRetries });
    fill(5);
    for (let look = 0; look < maxRetries; look += 1) expect(await run('pull jobs --leave')).toMatchObject({ code: 0 });
    const ran = await run('pull jobs --leave');
    expect([ran.code, ran.stdout]).toEqual([3, '']);
    expect(ran.stderr).toMatch(/^5 more are in jobs.*last attempt.*without --leave/s);
    expect([attempts(), broker.isEmpty('dead')]).toEqual([Array.from({ length: 5 }, () => maxRetries), true]);
  });

  it('finds how often messages are delivered for a queue named by its id, too', async () => {
    broker.queue('jobs', { maxRetries: 0 });
    fill(1);
    expect((await run(`pull ${server.queue('jobs').queueId} --leave`)).code).toBe(3);
    expect(attempts()).toEqual([0]);
  });

  it('prints a message once that comes again, and gives back its newest lease', async () => {
    fill(150);
    broker.setFaults({ repeat: 1 });
    const ran = await run('pull jobs --leave');
    expect(new Set(idsOf(ran)).size).toBe(ran.json.length);
    expect([ran.code, ran.stderr]).toEqual([3, expect.stringContaining('came again')]);
    expect(entries('retried').filter((entry) => 'late' in entry && entry.late)).toEqual([]);
    expect([broker.isEmpty('dead'), Math.max(...attempts())]).toEqual([true, 2]);
  });

  it('gives back and prints what it has when it is interrupted', async () => {
    fill(500);
    const controller = new AbortController();
    let pulls = 0;
    before.pull = () => void ((pulls += 1) === 2 && controller.abort());
    const ran = await run('pull jobs --leave', { signal: controller.signal });
    expect([ran.code, ran.json.length]).toEqual([130, 200]);
    expect(broker.inspect('jobs').counts).toMatchObject({ ready: 500, leased: 0 });
  });

  it('gives back when a pull fails, and tries again to do so', async () => {
    fill(500);
    let pulls = 0;
    before.pull = () => void ((pulls += 1) === 3 && broker.setFaults({ failBefore: 1, calls: ['pull', 'ack'] }));
    let acks = 0;
    before.ack = () => void ((acks += 1) === 3 && broker.setFaults({}));
    const ran = await run('pull jobs --leave', { clock: hastyClock(clock) });
    expect([ran.code, ran.json.length, ran.stderr]).toEqual([1, 200, expect.stringContaining('500')]);
    expect(broker.inspect('jobs').counts).toMatchObject({ ready: 500, leased: 0 });
  });

  it('sends no retry once the leases may have ended', async () => {
    fill(10);
    afterPull = () => clock.advance(950);
    const ran = await run('pull jobs --leave --visibility-timeout 1s');
    expect([ran.code, ran.json.length, ran.stderr]).toEqual([3, 10, expect.stringMatching(/^10 could not be settled/)]);
    expect([entries('retried'), new Set(attempts())]).toEqual([[], new Set([1])]);
  });
});

describe('pull --ack', () => {
  it('takes thousands, each once, and says how many are left', async () => {
    fill(1_300);
    const ran = await run('pull jobs --ack');
    expect([ran.code, new Set(idsOf(ran)).size]).toEqual([0, 1_000]);
    expect(ran.stderr).toMatch(/^300 more are in jobs/);
    expect(broker.inspect('jobs').counts).toMatchObject({ total: 300, leased: 0 });
  });

  it('acknowledges what was printed, however long that took, and moves nothing to the dead letter queue', async () => {
    fill(350);
    const ran = await run('pull jobs --ack --visibility-timeout 1s', {
      taken: slowly(),
    });
    expect([ran.code, new Set(idsOf(ran)).size, ran.json.length]).toEqual([0, 350, 350]);
    expect([broker.isEmpty('jobs'), broker.isEmpty('dead')]).toEqual([true, true]);
  });

  it('gives back what could not be printed when it is interrupted', async () => {
    fill(150);
    const controller = new AbortController();
    const ran = await run('pull jobs --ack', {
      taken: new Promise(() => undefined),
      onOutput: () => controller.abort(),
      signal: controller.signal,
      clock: hastyClock(clock),
    });
    expect(ran.code).toBe(130);
    expect(broker.inspect('jobs').counts).toMatchObject({ ready: 150, leased: 0 });
  });

  it('prints nothing twice that comes again', async () => {
    fill(150);
    broker.setFaults({ repeat: 1 });
    const ran = await run('pull jobs --ack');
    expect([ran.code, ran.json.length, new Set(idsOf(ran)).size, ran.stderr]).toEqual([0, 150, 150, '']);
    expect([broker.isEmpty('jobs'), broker.isEmpty('dead')]).toEqual([true, true]);
  });

  it('prints nothing twice whose acknowledgement did nothing, and acknowledges it when it comes again', async () => {
    fill(3);
    let acks = 0;
    before.ack = async () => {
      acks += 1;
      if (acks > 1) return undefined;
      await clock.advance(60_000);
      return Response.json({ success: true, errors: [], messages: [], result: { ackCount: 0, retryCount: 0 } });
    };
    const ran = await run('pull jobs --ack');
    expect([ran.code, idsOf(ran), ran.stderr, broker.isEmpty('jobs')]).toEqual([0, [0, 1, 2], '', true]);
  });
});

describe('pull that fails half-way', () => {
  const no = (status: number): Response =>
    Response.json({ success: false, errors: [{ code: 0, message: 'no' }], result: null }, { status });

  it.each([500, 429, 403])('acknowledges again what a passing %i kept it from, and prints it once', async (status) => {
    fill(150);
    let acks = 0;
    before.ack = () => ((acks += 1) <= 3 ? no(status) : undefined);
    const ran = await run('pull jobs --ack', { clock: hastyClock(clock) });
    expect([ran.code, ran.json.length, new Set(idsOf(ran)).size, ran.stderr]).toEqual([0, 150, 150, '']);
    expect(broker.isEmpty('jobs')).toBe(true);
  });

  it('says how many were printed and not acknowledged', async () => {
    fill(150);
    let acks = 0;
    before.ack = () => ((acks += 1) === 1 ? undefined : no(500));
    const ran = await run('pull jobs --ack', { clock: hastyClock(clock) });
    expect([ran.code, ran.json.length]).toEqual([1, 150]);
    expect(ran.stderr).toMatch(/^50 could not be settled.*\n.*500/s);
  });

  it('says how many could not be given back', async () => {
    fill(150);
    let pulls = 0;
    before.pull = () => ((pulls += 1) === 2 ? no(404) : undefined);
    before.ack = () => no(404);
    const ran = await run('pull jobs --leave', { clock: hastyClock(clock) });
    expect([ran.code, ran.json.length]).toEqual([1, 100]);
    expect(ran.stderr).toMatch(/^100 could not be settled.*\n.*404/s);
  });

  it('says so after an interrupt, too', async () => {
    fill(50);
    const controller = new AbortController();
    before.ack = () => {
      controller.abort();
      return Response.json({ success: true, errors: [], messages: [], result: { ackCount: 0, retryCount: 0 } });
    };
    const ran = await run('pull jobs --ack', { signal: controller.signal });
    expect([ran.code, ran.json.length, ran.stderr]).toEqual([
      130,
      50,
      expect.stringMatching(/^50 could not be settled/),
    ]);
  });
});

function slowly(): Promise<void> {
  return clock.advance(60_000);
}
