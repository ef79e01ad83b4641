import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Broker, type BrokerServer, createBroker, type JournalEntry, ManualClock } from '../../src/broker.ts';
import { hastyClock } from './hasty-clock.ts';
import { environmentOf, type Ran, runCli, type RunSettings } from './run-cli.ts';

let clock: ManualClock;
let broker: Broker;
let server: BrokerServer;
let journal: JournalEntry[];
/** What happens before a push or an acknowledgement is carried out, or what it is answered with instead. */
let before: { push?: () => unknown; batch?: () => unknown; ack?: () => unknown };

beforeEach(async () => {
  clock = new ManualClock();
  journal = [];
  before = {};
  const queues = { jobs: { deadLetterQueue: 'dead' }, dead: { maxRetries: 3 } };
  broker = createBroker({ clock, queues, onJournal: (entry) => journal.push(entry) });
  server = await broker.listen({
    intercept: async (request, next) => {
      const [, kind = 'push'] = /\/messages(?:\/(batch|ack|pull|peek))?$/.exec(request.url) ?? ['', ''];
      const stray = await before[kind as keyof typeof before]?.();
      return stray instanceof Response ? stray : next(request);
    },
  });
});

afterEach(() => server.close());

const run = (line: string, settings: RunSettings = {}): Promise<Ran> =>
  runCli(line.split(' '), { environment: environmentOf(server), clock, ...settings });
const fill = (count: number): void => {
  for (let id = 0; id < count; id += 1) broker.push('dead', { body: { id } });
};
const fillUnpushable = (count: number): void => {
  for (let id = 0; id < count; id += 1) broker.push('dead', { body: Uint8Array.of(id) });
};
const attempts = (): number[] => broker.inspect('dead').messages.map((message) => message.attempts);
const entries = (type: JournalEntry['type']): JournalEntry[] => journal.filter((entry) => entry.type === type);
const lateRetries = (): JournalEntry[] => entries('retried').filter((entry) => 'late' in entry && entry.late);
const answer = (status: number, result: unknown): Response =>
  Response.json(
    { success: status === 200, errors: status === 200 ? [] : [{ code: 0, message: 'no' }], result },
    { status },
  );

describe('redrive', () => {
  it('stops before the lease of what it keeps ends, counts it once, and says how to go on', async () => {
    fillUnpushable(5);
    fill(500);
    before.batch = () => clock.advance(70_000);
    const ran = await run('redrive dead jobs --json');
    const { left } = broker.inspect('dead').counts.total === 5 ? { left: 5 } : { left: ran.json[0].left };
    expect([ran.code, ran.json[0].left, left]).toEqual([3, 5, 5]);
    expect(ran.stderr).toMatch(/are still in dead.*run it again/is);
    expect([entries('expired'), lateRetries(), attempts().slice(0, 5)]).toEqual([[], [], [1, 1, 1, 1, 1]]);
    expect(broker.inspect('dead').counts.leased).toBe(0);
  });

  it('counts what it keeps once, though it comes again, and stops', async () => {
    fillUnpushable(5);
    fill(500);
    // The service's leases are over, by no clock of ours.
    before.batch = () => clock.advance(301_000);
    const { clock: _, ...settings } = { clock };
    const ran = await runCli('redrive dead jobs --json'.split(' '), {
      environment: environmentOf(server),
      ...settings,
    });
    expect([ran.code, ran.json[0].left]).toEqual([3, 5]);
    expect(ran.stderr).toContain('came again');
    expect([lateRetries(), attempts().slice(0, 5)]).toEqual([[], [2, 2, 2, 2, 2]]);
  });

  it('lets no push outlast the leases that it holds', async () => {
    fill(50);
    before.batch = () => clock.advance(290_000).then(() => new Promise(() => undefined));
    const ran = await run('redrive dead jobs --json');
    expect([ran.code, ran.json[0]]).toMatchObject([3, { moved: 0, copied: 0, left: 50 }]);
    expect(ran.stderr).toMatch(/50 are still in dead.*perhaps pushed/s);
    expect([lateRetries(), broker.inspect('dead').counts.total]).toEqual([[], 50]);
  });

  it('gives back in time what a push that takes too long leaves', async () => {
    fill(50);
    before.batch = () => clock.advance(245_000).then(() => new Promise(() => undefined));
    const ran = await run('redrive dead jobs --json');
    expect([ran.code, ran.json[0].left]).toEqual([3, 50]);
    expect(broker.inspect('dead').counts).toMatchObject({ ready: 50, leased: 0 });
    expect([entries('expired'), entries('retried').length]).toEqual([[], 50]);
  });

  it('acknowledges what it pushed however late it is, and pushes it once', async () => {
    fill(150);
    let acks = 0;
    before.ack = async () => {
      acks += 1;
      if (acks > 1) return undefined;
      await clock.advance(301_000);
      return answer(200, { ackCount: 0, retryCount: 0 });
    };
    const ran = await run('redrive dead jobs --json');
    expect([ran.code, ran.json[0]]).toMatchObject([0, { moved: 150, copied: 0, left: 0 }]);
    expect([broker.inspect('jobs').counts.total, broker.isEmpty('dead')]).toEqual([150, true]);
  });

  it('counts what is left when a push fails', async () => {
    fill(150);
    before.batch = () => answer(404, null);
    const ran = await run('redrive dead jobs --json');
    expect([ran.code, ran.json[0]]).toMatchObject([1, { moved: 0, copied: 0, left: 100 }]);
    expect(broker.inspect('dead').counts).toMatchObject({ ready: 150, leased: 0 });
  });

  it('counts what may be in both queues when an acknowledgement fails', async () => {
    fill(20);
    before.ack = () => answer(500, null);
    const ran = await run('redrive dead jobs --json', { clock: hastyClock(clock) });
    expect([ran.code, ran.json[0]]).toMatchObject([1, { moved: 0, copied: 20, left: 0 }]);
  });

  it.each([500, 429, 403])('acknowledges again what a passing %i kept it from, and pushes it once', async (status) => {
    fill(150);
    let acks = 0;
    before.ack = () => ((acks += 1) <= 3 ? answer(status, null) : undefined);
    const ran = await run('redrive dead jobs --json', { clock: hastyClock(clock) });
    expect([ran.code, ran.json[0]]).toMatchObject([0, { moved: 150, copied: 0, left: 0 }]);
    expect([broker.inspect('jobs').counts.total, broker.isEmpty('dead')]).toEqual([150, true]);
  });

  it('says of what was acknowledged without an answer that both queues may have it', async () => {
    fill(20);
    let acks = 0;
    before.ack = () => {
      acks += 1;
      broker.setFaults(acks === 1 ? { failAfter: 1, calls: ['ack'] } : {});
    };
    const ran = await run('redrive dead jobs --json', { clock: hastyClock(clock) });
    expect([ran.code, ran.json[0]]).toMatchObject([3, { moved: 0, copied: 20, left: 0 }]);
    expect([broker.inspect('jobs').counts.total, broker.isEmpty('dead')]).toEqual([20, true]);
  });

  it('waits for as long as the service asks before it gives back, and never for long without', async () => {
    fillUnpushable(3);
    const waits: number[] = [];
    let acks = 0;
    before.ack = () => {
      acks += 1;
      if (acks === 12) return undefined;
      return acks === 2 ? Response.json({}, { status: 429, headers: { 'retry-after': '9' } }) : answer(500, null);
    };
    const ran = await run('redrive dead jobs --json', { clock: hastyClock(clock, (ms) => waits.push(ms)) });
    expect([ran.code, broker.inspect('dead').counts]).toMatchObject([3, { ready: 3, leased: 0 }]);
    expect(waits.filter((ms) => ms > 5_000)).toEqual([9_000]);
  });

  it('leases nothing that giving back would delete', async () => {
    fillUnpushable(1);
    fill(3);
    for (let time = 0; time < 3; time += 1) expect((await run('redrive dead jobs --limit 1')).code).toBe(3);
    const ran = await run('redrive dead jobs');
    expect([ran.code, ran.stderr]).toEqual([3, expect.stringMatching(/4 are still in dead.*last attempt/s)]);
    expect(attempts()).toEqual([3, 0, 0, 0]);
  });

  it('leases nothing when the other queue does not answer', async () => {
    fill(3);
    const id = 'f'.repeat(32);
    expect((await run(`redrive dead ${id}`)).code).toBe(1);
    expect(attempts()).toEqual([0, 0, 0]);
  });

  describe('with messages that HTTP can not carry', () => {
    const broken = { raw: true, contentType: 'json' } as const;
    beforeEach(() => {
      fill(3);
      broker.push('dead', { body: Uint8Array.of(1) });
      broker.push('dead', { body: Uint8Array.of(1), contentType: 'v8' });
      broker.push('dead', { body: '{broken', ...broken });
    });
    const unmovable = (): string[] =>
      broker
        .inspect('dead')
        .messages.filter(({ contentType, body }) => contentType !== 'json' || body === undefined)
        .map(({ id }) => id);

    it('tells the id and the reason of each that it leaves, and counts them', async () => {
      const ran = await run('redrive dead jobs');
      expect([ran.code, ran.stdout]).toEqual([3, '3 moved from dead to jobs, 3 left in dead\n']);
      const [bytes, v8, json] = unmovable();
      expect(ran.stderr).toMatch(new RegExp(`Cannot move message ${bytes}: .*bytes\n`));
      expect(ran.stderr).toMatch(new RegExp(`Cannot move message ${v8}: .*v8\n`));
      expect(ran.stderr).toMatch(new RegExp(`Cannot move message ${json}: .*json.*\n`));
    });

    it('tells them in JSON, too', async () => {
      const ran = await run('redrive dead jobs --json');
      const reason = expect.stringMatching(/HTTP push takes/);
      expect(ran.json[0]).toMatchObject({ moved: 3, left: 3, unmoved: unmovable().map((id) => ({ id, reason })) });
      expect(ran.stderr).not.toContain('Cannot move');
    });

    it('promises in a dry run only what it can move', async () => {
      const dry = await run('redrive dead jobs --dry-run');
      expect([dry.code, dry.stdout]).toEqual([3, '3 would be moved from dead to jobs, 3 would be left in dead\n']);
      for (const id of unmovable()) expect(dry.stderr).toContain(id);
      expect(attempts()).toEqual([0, 0, 0, 0, 0, 0]);
      expect((await run('redrive dead jobs --dry-run --limit 2')).stdout).toBe('2 would be moved from dead to jobs\n');
    });

    it('says in a dry run of how many it can not tell', async () => {
      fill(200);
      const dry = await run('redrive dead jobs --dry-run --json');
      expect(dry.json[0]).toMatchObject({ dryRun: true, moved: 97, left: 3, unseen: 106 });
      expect((await run('redrive dead jobs --dry-run')).stdout).toContain('106 more');
    });
  });

  it('tells of each message that the service refuses', async () => {
    fill(2);
    const refusal = { success: false, errors: [{ code: 10_207, message: 'no' }], result: null };
    before.batch = () => Response.json(refusal, { status: 400 });
    before.push = before.batch;
    const ran = await run('redrive dead jobs --json');
    const unmoved = broker.inspect('dead').messages.map(({ id }) => ({ id, reason: expect.stringContaining('400') }));
    expect([ran.code, ran.json[0]]).toMatchObject([3, { moved: 0, left: 2, unmoved }]);
  });

  it('moves a string of JSON, which HTTP does not take, as text', async () => {
    broker.push('dead', { body: '"a\\u0041"', contentType: 'json', raw: true });
    const ran = await run('redrive dead jobs');
    expect([ran.code, broker.inspect('jobs').messages]).toMatchObject([0, [{ body: 'aA', contentType: 'text' }]]);
  });
});
