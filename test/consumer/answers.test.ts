import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createBroker, ManualClock } from '../../src/broker.ts';
import { type ConsumerEvent, openQueue, type Queue } from '../../src/index.ts';
import type { Fetch, FetchAnswer } from '../../src/transports/cloudflare/fetch.ts';
import { type Answerer, answerOf, openAnswered, scenarios } from './answer-scenarios.ts';
import { rejection } from './jobs.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/answers.md'), 'utf8');

const tables = page
  .split('\n## ')
  .map((section) => {
    const [title = '', ...lines] = section.split('\n');
    const [columns = [], , ...rows] = lines
      .filter((line) => line.startsWith('|'))
      .map((line) => line.replaceAll('`', '').split('|').slice(1, -1))
      .map((cells) => cells.map((cell) => cell.trim()));
    return { title, columns, rows };
  })
  .filter(({ columns }) => columns[0] === 'status');

/** What to try: an answer of a status by somebody, at first or after a call that worked, and what the page says of it. */
const cells = tables.flatMap(({ title, columns, rows }) =>
  rows.flatMap(([status, ...outcomes]) =>
    outcomes.map((outcome, index) => {
      const [answerer = '', when = 'at first'] = (columns[index + 1] ?? '').split(', ');
      return { title, status: Number(status), answerer: answerer as Answerer, when, outcome };
    }),
  ),
);

describe('the answers of docs/answers.md', () => {
  it('are tried for all calls', () => {
    expect(tables.map(({ title }) => title)).toEqual(Object.keys(scenarios));
    expect(cells).toHaveLength(17 * (4 + 2 + 4));
  });

  it.each(cells)('$title: $status, $answerer, $when: $outcome', async ({ title, outcome, when, ...answering }) => {
    const answer = { ...answering, after: when === 'later' ? 1 : 0 };
    expect(await scenarios[title]?.({ ...answer, times: Infinity })).toBe(outcome);
    const once = outcome.endsWith('at once') || outcome === 'taken' ? outcome : 'once';
    expect(await scenarios[title]?.({ ...answer, times: 1 })).toBe(once);
  });
});

describe('patience', () => {
  it('keeps acknowledgements whose leases end meanwhile, and sends them when it works again', async () => {
    const refusal = { status: 403, answerer: "the service's", after: 0, times: 9 } as const;
    const { clock, broker, queue, journal, sinceFirst } = openAnswered('/ack', refusal);
    for (let nth = 0; nth < 10; nth += 1) broker.push('jobs', { body: nth });
    const handled: unknown[] = [];
    const events: ConsumerEvent[] = [];
    const onEvent = (event: ConsumerEvent): void => void events.push(event);
    const options = { visibilityTimeoutMs: 2_000, stopWhenEmpty: { forMs: 30_000 }, onEvent };
    const summary = await clock.runUntil(queue.process(({ body }) => void handled.push(body), options));
    expect(summary).toMatchObject({ delivered: 10, acked: 10, lost: 0, unknown: 0 });
    expect(handled).toHaveLength(10);
    expect(journal.filter(({ type }) => type === 'acked')).toHaveLength(10);
    expect(events.filter(({ type }) => type === 'settleFailed')).toHaveLength(9);
    expect(sinceFirst()).toBeGreaterThan(10_000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('begins anew after an answer of another kind', async () => {
    const clock = new ManualClock();
    const broker = createBroker({ clock, queues: { jobs: {} } });
    broker.push('jobs', { body: 1 });
    let calls = 0;
    const fetch: Fetch = async (url, init) => {
      calls += 1;
      if (calls > 40 || !url.endsWith('/pull')) return broker.fetch(url, init);
      return answerOf({ status: calls % 4 === 0 ? 503 : 403, answerer: "another's" });
    };
    const queue = openQueue({ ...broker.queue('jobs'), clock, fetch, random: () => 0.5 });
    const stopWhenEmpty = { forMs: 60_000 };
    expect(await clock.runUntil(queue.process(() => 1, { stopWhenEmpty }))).toMatchObject({ acked: 1 });
  });

  it('is over for the whole handle once it has run out, until something works', async () => {
    const { clock, queue } = openAnswered('/messages', {
      status: 403,
      answerer: "the service's",
      after: 1,
      times: Infinity,
    });
    await clock.runUntil(queue.send(0));
    expect(await rejection(clock.runUntil(queue.send(1)))).toMatchObject({ code: 'unauthorized', inEnvelope: true });
    const endedAt = clock.now();
    await rejection(clock.runUntil(queue.send(2)));
    expect(clock.now() - endedAt).toBeLessThan(1_000);
    await clock.runUntil(queue.metrics());
    await rejection(clock.runUntil(queue.send(3)));
    expect(clock.now() - endedAt).toBeGreaterThanOrEqual(30_000);
  });

  it('halves a batch that something on the way finds too large, and sends it all', async () => {
    const clock = new ManualClock();
    const broker = createBroker({ clock, queues: { jobs: {} } });
    const fetch: Fetch = async (url, init) =>
      (init.body ?? '').length > 1_000 ? answerOf({ status: 413, answerer: "another's" }) : broker.fetch(url, init);
    const queue = openQueue({ ...broker.queue('jobs'), clock, fetch });
    const items = Array.from({ length: 40 }, () => ({ body: 'x'.repeat(100) }));
    await clock.runUntil(queue.sendBatch(items));
    expect(broker.inspect('jobs').counts.total).toBe(40);
    expect(clock.monotonic()).toBeLessThan(1_000);
  });
});

describe('an answer of a success that cannot be read', () => {
  const readAlready = async (answer: Response): Promise<FetchAnswer> => {
    await answer.text();
    return answer;
  };
  const failures: ReadonlyArray<[string, (answer: Response) => Promise<FetchAnswer>, string]> = [
    ['was read already', readAlready, 'transport-failed'],
    [
      'broke off',
      async ({ status, headers }) => ({ status, headers, text: () => Promise.reject(new TypeError('terminated')) }),
      'network',
    ],
    [
      'never ends',
      async ({ status, headers }) => ({ status, headers, text: () => new Promise(() => undefined) }),
      'timeout',
    ],
  ];

  function openSpoilt(path: string, spoil: (answer: Response) => Promise<FetchAnswer>, times = Infinity) {
    const clock = new ManualClock();
    const broker = createBroker({ clock, leastVisibilityTimeoutMs: 1, queues: { jobs: { maxRetries: 50 } } });
    let calls = 0;
    const fetch: Fetch = async (url, init) => {
      const answer = await broker.fetch(url, init);
      return url.endsWith(path) && (calls += 1) <= times ? spoil(answer) : answer;
    };
    const queue = openQueue({ ...broker.queue('jobs'), clock, fetch, random: () => 0.5 });
    return { clock, broker, queue, calls: () => calls };
  }

  it.each(failures)('because it %s is no reason to push again', async (_, spoil, code) => {
    const one = openSpoilt('/messages', spoil);
    expect(await rejection(one.clock.runUntil(one.queue.send('x')))).toMatchObject({ code, status: 200 });
    expect(one.broker.inspect('jobs').counts.total).toBe(1);
    const two = openSpoilt('/batch', spoil);
    const sending = two.queue.sendBatch([{ body: 1 }, { body: 2 }]);
    expect(await rejection(two.clock.runUntil(sending))).toMatchObject({ code, status: 200 });
    expect(two.broker.inspect('jobs').counts.total).toBe(2);
    expect(two.clock.pendingTimers).toBe(0);
  });

  it.each(failures.slice(1))('because it %s is asked for again where it may be', async (_, spoil) => {
    for (const path of ['/pull', '/ack']) {
      const { clock, broker, queue } = openSpoilt(path, spoil, 1);
      broker.push('jobs', { body: 'x' });
      const handled: unknown[] = [];
      const options = { visibilityTimeoutMs: 2_000, stopWhenEmpty: { forMs: 60_000 } };
      await clock.runUntil(queue.process(({ body }) => void handled.push(body), options));
      expect(handled).toEqual(['x']);
      expect(broker.isEmpty('jobs')).toBe(true);
    }
  });

  it.each<unknown>(['', '{"success":true,"err', undefined])(
    'because it is cut to %j is no reason to push again',
    async (text) => {
      const cut = async ({ status, headers }: Response): Promise<FetchAnswer> => ({
        status,
        headers,
        text: async () => text as string,
      });
      const { clock, broker, queue } = openSpoilt('/messages', cut);
      expect(await rejection(clock.runUntil(queue.send('x')))).toMatchObject({ code: 'bad-answer', status: 200 });
      expect(broker.inspect('jobs').counts.total).toBe(1);
    },
  );

  it.each(['/pull', '/ack'])(
    'because somebody reads every one ends %s at once, and uses up one attempt',
    async (path) => {
      const { clock, broker, queue, calls } = openSpoilt(path, readAlready);
      broker.push('jobs', { body: 'x' });
      const error = await rejection(clock.runUntil(queue.process(() => 1)));
      expect(error).toMatchObject({ code: 'transport-failed', status: 200 });
      expect(String(error)).toContain("'fetch'");
      expect(calls()).toBe(1);
    },
  );

  it('goes by the status where that is none of a success', async () => {
    const clock = new ManualClock();
    const broker = createBroker({ clock, queues: { jobs: {} } });
    let calls = 0;
    const fetch: Fetch = async (url, init) => {
      if ((calls += 1) > 3) return broker.fetch(url, init);
      const answer = answerOf({ status: 503, answerer: "the service's" });
      await answer.text();
      return answer;
    };
    const queue = openQueue({ ...broker.queue('jobs'), clock, fetch });
    await clock.runUntil(queue.send('x'));
    expect(calls).toBe(4);
    expect(broker.inspect('jobs').counts.total).toBe(1);
  });
});

describe('what no asking again can mend', () => {
  const thrown = (code: string, name = 'Error'): Error =>
    new TypeError('fetch failed', { cause: Object.assign(new Error('no'), { code, name }) });

  const openThrowing = (failing: (call: number) => Error | undefined) => {
    const clock = new ManualClock();
    const broker = createBroker({ clock, queues: { jobs: {} } });
    let calls = 0;
    const fetch: Fetch = async (url, init) => {
      const error = failing((calls += 1));
      if (error !== undefined) throw error;
      return broker.fetch(url, init);
    };
    return { clock, broker, queue: openQueue({ ...broker.queue('jobs'), clock, fetch }) };
  };

  it.each([
    ['a certificate that has expired', 'untrusted-certificate', thrown('CERT_HAS_EXPIRED')],
    ['a certificate that nobody signed', 'untrusted-certificate', thrown('DEPTH_ZERO_SELF_SIGNED_CERT')],
    ['a certificate of another', 'untrusted-certificate', thrown('ERR_TLS_CERT_ALTNAME_INVALID')],
    ['a permission of Node', 'forbidden-by-runtime', thrown('ERR_ACCESS_DENIED')],
    ['a permission of Deno', 'forbidden-by-runtime', thrown('', 'NotCapable')],
  ])('ends at once, if nothing has worked: %s', async (_, code, error) => {
    const { clock, queue } = openThrowing(() => error);
    expect(await rejection(clock.runUntil(queue.process(() => 1)))).toMatchObject({ code });
    expect(await rejection(clock.runUntil(queue.send(1)))).toMatchObject({ code });
    expect(clock.monotonic()).toBeLessThan(100);
  });

  it('ends at once although something has worked: a permission that was taken away', async () => {
    const { clock, queue } = openThrowing((call) => (call > 1 ? thrown('', 'NotCapable') : undefined));
    await clock.runUntil(queue.send(1));
    expect(await rejection(clock.runUntil(queue.process(() => 1)))).toMatchObject({ code: 'forbidden-by-runtime' });
    expect(clock.monotonic()).toBeLessThan(100);
  });

  it('has half a minute for a host that nobody has ever known', async () => {
    const calls: ReadonlyArray<(queue: Queue) => Promise<unknown>> = [
      (queue) => queue.process(() => 1),
      (queue) => queue.send(1),
    ];
    for (const call of calls) {
      const { clock, queue } = openThrowing(() => thrown('ENOTFOUND'));
      expect(await rejection(clock.runUntil(call(queue)))).toMatchObject({ code: 'unknown-host' });
      expect(clock.monotonic()).toBeGreaterThanOrEqual(30_000);
      expect(clock.monotonic()).toBeLessThan(40_000);
    }
  });

  it('waits for a host that was reached before', async () => {
    const { clock, broker, queue } = openThrowing((call) =>
      call > 1 && clock.monotonic() < 600_000 ? thrown('ENOTFOUND') : undefined,
    );
    await clock.runUntil(queue.send(1));
    const handled: unknown[] = [];
    const options = { stopWhenEmpty: true, onEvent: () => undefined };
    await clock.runUntil(queue.process(({ body }) => void handled.push(body), options));
    expect(handled).toEqual([1]);
    expect(broker.isEmpty('jobs')).toBe(true);
  });

  it('has patience where something has worked: a captive portal shows a certificate of its own', async () => {
    const clock = new ManualClock();
    const broker = createBroker({ clock, queues: { jobs: {} } });
    let calls = 0;
    const fetch: Fetch = (url, init) =>
      (calls += 1) === 2 ? Promise.reject(thrown('SELF_SIGNED_CERT_IN_CHAIN')) : broker.fetch(url, init);
    const queue = openQueue({ ...broker.queue('jobs'), clock, fetch });
    await clock.runUntil(queue.send(1));
    await clock.runUntil(queue.send(2));
    expect(broker.inspect('jobs').counts.total).toBe(2);
  });
});

describe('metrics()', () => {
  it.each([
    ['a fetch', { fetch: () => new Promise<never>(() => undefined) }],
    ['a transport', undefined],
  ])('ends after 30 s where %s never answers', async (_, connection) => {
    const clock = new ManualClock();
    const broker = createBroker({ clock, queues: { jobs: {} } });
    const metrics = (): Promise<never> => new Promise(() => undefined);
    const transport = Object.assign(broker.transport('jobs'), { metrics });
    const queue = openQueue(connection ? { ...broker.queue('jobs'), clock, ...connection } : { transport, clock });
    expect(await rejection(clock.runUntil(queue.metrics()))).toMatchObject({ code: 'timeout' });
    expect(clock.monotonic()).toBe(30_000);
    expect(await rejection(clock.runUntil(queue.metrics({ timeoutMs: 5 })))).toMatchObject({ code: 'timeout' });
    expect(clock.monotonic()).toBe(30_005);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('over a real socket', () => {
  it.each([
    ['an HTML 403', 403],
    ['a 302', 302],
    ['an HTML 404', 404],
  ])('%s in the midst of good answers costs no message', async (_, status) => {
    const acked: string[] = [];
    const broker = createBroker({
      leastVisibilityTimeoutMs: 1,
      queues: { jobs: {} },
      onJournal: (entry) => void (entry.type === 'acked' && acked.push(entry.messageId)),
    });
    const strayAt = { pull: 5, ack: 3 };
    const seen = { pull: 0, ack: 0 };
    await using server = await broker.listen({
      intercept: async (request, next) => {
        const kind = request.url.endsWith('/pull') ? 'pull' : request.url.endsWith('/ack') ? 'ack' : undefined;
        if (kind === undefined || (seen[kind] += 1) !== strayAt[kind]) return next(request);
        return answerOf({ status, answerer: "another's" });
      },
    });
    const queue = openQueue(server.queue('jobs'));
    const numbers = Array.from({ length: 60 }, (__, nth) => nth);
    await queue.sendBatch(numbers.map((body) => ({ body })));
    const handled: unknown[] = [];
    const told: string[] = [];
    const summary = await queue.process(({ body }) => void handled.push(body), {
      batchSize: 5,
      visibilityTimeoutMs: 1_000,
      stopWhenEmpty: true,
      onEvent: ({ type }) => void told.push(type),
    });
    expect(handled.toSorted((a, b) => Number(a) - Number(b))).toEqual(numbers);
    expect(summary).toMatchObject({ acked: 60, reason: 'empty' });
    expect(acked).toHaveLength(60);
    expect(told).toEqual(expect.arrayContaining(['pullFailed', 'settleFailed']));
  });
});
