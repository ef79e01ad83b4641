import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../../src/broker.ts';
import { createCloudflareTransport, type QueueTransport } from '../../src/cloudflare.ts';
import { History } from '../../src/cli/history.ts';
import type { BrokerCounts } from '../../src/cli/counts.ts';
import { type Ran, runCli } from './run-cli.ts';

interface Served {
  readonly baseUrl: string;
  readonly accountId: string;
  readonly apiToken: string;
  readonly queues: readonly { readonly name: string; readonly id: string }[];
}

let controller: AbortController;
let ran: Promise<Ran>;
let served: Served;
let jobs: QueueTransport;

beforeEach(async () => {
  controller = new AbortController();
  let listening: (text: string) => void = () => undefined;
  const output = new Promise<string>((resolve) => (listening = resolve));
  const parameters = ['serve', '--port', '0', '--json', '--api-token', 'mine', '--behaviour', 'metrics=zero'];
  ran = runCli([...parameters, '--queue', 'jobs:max-retries=0,dead-letter-queue=dead'], {
    signal: controller.signal,
    onOutput: listening,
  });
  served = JSON.parse(await output) as Served;
  jobs = createCloudflareTransport({ ...served, queueId: served.queues[0]?.id ?? '' });
});

afterEach(async () => {
  controller.abort();
  expect((await ran).code).toBe(0);
});

const get = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(new URL(path, served.baseUrl), { headers: { authorization: 'Bearer mine' }, ...init });

/** The samples of an exposition, by name and queue, without the queue's id. */
function read(text: string): Readonly<Record<string, number>> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => {
      const [, name = '', queue = '', value = ''] =
        /^(\w+)\{queue="([^"]*)",queue_id="[\da-f]{32}"\} (\S+)$/.exec(line) ?? [];
      return [`${name.replace('leasestream_queue_', '')} ${queue}`, Number(value)];
    }),
  );
}

describe('GET /leasestream/metrics', () => {
  it('tells Prometheus what there is, whatever clients see of it, and what happened', async () => {
    await jobs.bulkPush({ messages: [{ body: 'one' }, { body: 'two' }, { body: 'six' }] });
    const { messages } = await jobs.pull({ batchSize: 2 });
    const [first, second] = messages.map(({ leaseId }) => leaseId);
    await jobs.ack({ acks: [first ?? ''], retries: [{ leaseId: second ?? '' }] });
    await jobs.pull({ batchSize: 1 });
    const answer = await get('/leasestream/metrics');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const text = await answer.text();
    expect(text).toContain('# TYPE leasestream_queue_backlog_messages gauge\n');
    expect(text).toContain('# TYPE leasestream_queue_acked_messages_total counter\n');
    const samples = read(text);
    expect(samples).toMatchObject({
      'backlog_messages jobs': 1,
      'backlog_bytes jobs': 3,
      'in_flight_messages jobs': 1,
      'pushed_messages_total jobs': 3,
      'delivered_messages_total jobs': 3,
      'acked_messages_total jobs': 1,
      'retried_messages_total jobs': 1,
      'expired_leases_total jobs': 0,
      'dead_lettered_messages_total jobs': 1,
      'removed_messages_total jobs': 0,
      'backlog_messages dead': 1,
      'pushed_messages_total dead': 0,
    });
    expect(samples['oldest_message_age_seconds jobs']).toBeGreaterThanOrEqual(0);
    expect(samples['oldest_message_age_seconds jobs']).toBeLessThan(60);
    expect(Object.keys(samples)).toHaveLength(22);
  });

  it.each(['/leasestream/metrics', '/leasestream/history', '/leasestream/counts'])(
    'is behind the token, and no more than read: %s',
    async (path) => {
      for (const [headers, status] of [
        [{}, 401],
        [{ authorization: 'Bearer local-token' }, 403],
      ] as const) {
        const refused = await get(path, { headers });
        expect(refused.status).toBe(status);
        expect(await refused.text()).not.toContain('jobs');
      }
      const posted = await get(path, { method: 'POST' });
      expect([posted.status, posted.headers.get('allow')]).toEqual([405, expect.stringContaining('GET')]);
      expect(await posted.json()).toMatchObject({ success: false });
      expect((await get(path)).status).toBe(200);
    },
  );

  it('is refused to the page of another site', async () => {
    const headers = { authorization: 'Bearer mine', origin: 'http://evil.example' };
    expect((await get('/leasestream/metrics', { headers })).status).toBe(403);
  });
});

describe('GET /leasestream/history', () => {
  it('tells of the seconds since the start', async () => {
    await jobs.push({ body: 1 });
    await vi.waitFor(
      async () => {
        const { result } = (await (await get('/leasestream/history')).json()) as {
          result: { queues: Record<string, { backlog: number[]; pushRate: number[] }> };
        };
        const history = result.queues[served.queues[0]?.id ?? ''];
        expect(history?.backlog[0]).toBe(0);
        expect(history?.backlog.at(-1)).toBe(1);
        expect(Math.max(...(history?.pushRate ?? []))).toBeGreaterThan(0);
      },
      { timeout: 10_000, interval: 200 },
    );
  });
});

describe('History', () => {
  it('remembers five minutes, and rates by the time that really passed', async () => {
    const clock = new ManualClock();
    const history = new History(clock);
    let acked = 0;
    const tally = { pushed: 0, delivered: 0, retried: 0, expired: 0, deadLettered: 0, removed: 0 };
    const counts = (): BrokerCounts => ({
      now: 0,
      queues: [
        {
          id: 'a',
          name: 'jobs',
          backlogCount: acked,
          backlogBytes: 0,
          oldestMessageTimestampMs: 0,
          inFlight: 2,
          tally: { ...tally, acked },
        },
      ],
    });
    await history.start(async () => counts());
    for (let second = 1; second <= 400; second += 1) {
      acked += 10;
      await clock.advance(1_000);
      await wait(0);
    }
    const { a } = history.read();
    expect([a?.backlog.length, a?.inFlight.length, a?.ackRate.length]).toEqual([301, 301, 300]);
    expect(new Set(a?.ackRate)).toEqual(new Set([10]));
    expect(a?.backlog.at(-1)).toBe(4_000);
    history.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it('goes on after a look that saw nothing, and knows no queue that is gone', async () => {
    const clock = new ManualClock();
    const history = new History(clock);
    const queue = { id: 'a', name: 'jobs', backlogCount: 1, backlogBytes: 0, oldestMessageTimestampMs: 0, inFlight: 0 };
    const tally = { pushed: 0, delivered: 0, acked: 0, retried: 0, expired: 0, deadLettered: 0, removed: 0 };
    const looks: (BrokerCounts | undefined)[] = [
      undefined,
      { now: 0, queues: [{ ...queue, tally }] },
      { now: 0, queues: [] },
    ];
    await history.start(async () => looks.shift());
    expect(history.read()).toEqual({});
    await clock.advance(1_000);
    await wait(0);
    expect(history.read()).toEqual({ a: { backlog: [1], inFlight: [0], pushRate: [], ackRate: [] } });
    await clock.advance(1_000);
    await wait(0);
    expect(history.read()).toEqual({});
    history.stop();
  });
});
