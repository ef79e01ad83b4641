import { describe, expect, it, vi } from 'vitest';
import type { StartRate } from '../../src/index.ts';
import { client, schedule } from './fixed-schedule.ts';
import type { ClientPlan } from './schedule.ts';
import { type Tally, tally } from './tally.ts';

vi.setConfig({ testTimeout: 120_000 });

/** Messages through one consumer, by default with ten handlers of 5 ms, a lease of 2 s and a round trip of 2 ms. */
function through(messages: number, rate: StartRate | undefined, options: Partial<ClientPlan> = {}): Promise<Tally> {
  const plan = client('process', { shape: 'constant', ms: 5 }, { concurrency: 10, rate, ...options });
  return tally(schedule({ messages, clients: [plan] }));
}

function released({ ledger }: Tally): number {
  return ledger.run.clients.reduce((sum, { summary }) => sum + (summary?.released ?? 0) + (summary?.dropped ?? 0), 0);
}

function pulls({ ledger }: Tally): number {
  return ledger.callsBy(0, 'pull').length;
}

const fifty = { limit: 50, perMs: 1_000 };

describe('50 a second over 1 000 messages with a lease of 2 s', () => {
  it.each(['process', 'for await', 'batches', 'processBatches'] as const)(
    'keeps the rate and repeats none, with %s',
    async (surface) => {
      const result = await through(1_000, fifty, { surface, size: 10 });
      expect({ acked: result.acked, deliveries: result.deliveries, released: released(result) }).toEqual({
        acked: 1_000,
        deliveries: 1_000,
        released: 0,
      });
      expect(result.wallMs).toBeGreaterThanOrEqual(0.95 * 20_000);
      expect(result.wallMs).toBeLessThanOrEqual(1.05 * 20_000);
    },
  );

  it('does so with handlers that take as long as the lease', async () => {
    const options = { concurrency: 150, handler: client('process', { shape: 'constant', ms: 1_900 }).handler };
    const result = await through(1_000, fifty, options);
    expect({ deliveries: result.deliveries, released: released(result) }).toEqual({ deliveries: 1_000, released: 0 });
    expect(result.wallMs).toBeLessThanOrEqual(1.05 * 20_000 + 1_900);
  });

  it('does so with answers that take long', async () => {
    const oneWay = { leastMs: 100, mostMs: 150 };
    const plan = client('process', { shape: 'constant', ms: 5 }, { concurrency: 10, rate: fifty });
    const result = await tally(schedule({ messages: 1_000, clients: [plan], up: oneWay, down: oneWay }));
    expect({ deliveries: result.deliveries, released: released(result) }).toEqual({ deliveries: 1_000, released: 0 });
    expect(result.wallMs).toBeLessThanOrEqual(1.05 * 20_000);
  });

  it('asks for several messages at a time, and lets none wait for more than a quarter of a second', async () => {
    const result = await through(1_000, fifty);
    expect(pulls(result)).toBeLessThanOrEqual(150);
    expect(longestWait(result)).toBeLessThanOrEqual(250);
  });

  it('takes half the time with two consumers, each with a rate of its own', async () => {
    const clients = [1, 2].map(() => client('process', { shape: 'constant', ms: 5 }, { concurrency: 10, rate: fifty }));
    const { deliveries, wallMs } = await tally(schedule({ messages: 1_000, clients }));
    expect(deliveries).toBe(1_000);
    expect(wallMs).toBeLessThanOrEqual(1.05 * 10_000);
  });
});

/** The longest time from an answer to the start of a message that it brought, in milliseconds. */
function longestWait({ ledger }: Tally): number {
  return Math.max(
    ...ledger.run.log.starts.map(({ leaseId, at }) => at - (ledger.delivery(leaseId).call?.endedAt ?? 0)),
  );
}

describe('one start in 10 s with a lease of 2 s', () => {
  it.each(['process', 'for await', 'batches', 'processBatches'] as const)(
    'pulls one just before it may start, with %s',
    async (surface) => {
      const result = await through(10, { limit: 1, perMs: 10_000 }, { surface });
      expect({ deliveries: result.deliveries, released: released(result) }).toEqual({ deliveries: 10, released: 0 });
      expect(longestWait(result)).toBeLessThanOrEqual(200);
      expect(result.wallMs).toBeLessThanOrEqual(1.01 * 90_000);
    },
  );
});

describe('a rate that is no bound', () => {
  it.each([
    { limit: 1_000_000, perMs: 1_000 },
    { limit: Number.MAX_VALUE, perMs: 1 },
    { limit: Number.MAX_SAFE_INTEGER, perMs: Number.MAX_SAFE_INTEGER },
  ])('costs nothing: %o', async (rate) => {
    const slow = { handler: client('process', { shape: 'constant', ms: 50 }).handler };
    const [with_, without] = [await through(500, rate, slow), await through(500, undefined, slow)];
    expect([with_.deliveries, pulls(with_)]).toEqual([without.deliveries, pulls(without)]);
    expect(with_.wallMs).toBeLessThanOrEqual(1.05 * without.wallMs);
  });
});

describe('a limit above the number of handlers', () => {
  it('is kept where handlers are quick, and bounds nothing where they are slow', async () => {
    const rate = { limit: 100, perMs: 10_000 };
    const quick = await through(300, rate, { concurrency: 2 });
    expect(quick.wallMs).toBeGreaterThanOrEqual(20_000);
    expect([quick.deliveries, released(quick)]).toEqual([300, 0]);
    const handler = client('process', { shape: 'constant', ms: 1_000 }).handler;
    const slow = await through(30, rate, { concurrency: 2, handler });
    expect(slow.wallMs).toBeLessThanOrEqual(1.05 * 15_000);
  });
});

describe('batches under a rate', () => {
  it.each([
    [25, 10],
    [11, 10],
    [3, 10],
    [100, 7],
  ])('of %i a second and up to %i messages keep it, and come full', async (limit, size) => {
    const messages = 20 * limit;
    const result = await through(
      messages,
      { limit, perMs: 1_000 },
      { surface: 'processBatches', size, concurrency: 1 },
    );
    expect([result.deliveries, released(result)]).toEqual([messages, 0]);
    expect(result.wallMs).toBeLessThanOrEqual(1.1 * 20_000);
    const moments = new Set(result.ledger.run.log.starts.map(({ at }) => at));
    expect(messages / moments.size).toBeGreaterThanOrEqual(0.75 * Math.floor(limit / Math.ceil(limit / size)));
  });
});

describe('an event loop that is kept', () => {
  it('breaks no rate and loses little of it', async () => {
    const handler = client('process', { shape: 'constant', ms: 15 }).handler;
    const result = await through(500, fifty, { handler: { ...handler, blocking: { oneIn: 1, part: 'all' } } });
    expect([result.deliveries, released(result)]).toEqual([500, 0]);
    expect(result.wallMs).toBeLessThanOrEqual(1.05 * 10_000);
  });
});

describe('the end', () => {
  it('comes by itself when the queue is empty, at the latest when one more may start', async () => {
    const plan = client(
      'process',
      { shape: 'constant', ms: 5 },
      { rate: { limit: 1, perMs: 5_000 }, stopWhenEmpty: true },
    );
    const { acked, ledger } = await tally(schedule({ messages: 3, clients: [plan], endsWhenEmpty: false }));
    expect(acked).toBe(3);
    expect(ledger.run.clients.map(({ summary }) => summary?.reason)).toEqual(['empty']);
    expect(ledger.run.endedAt - ledger.run.startedAt).toBeLessThanOrEqual(15_100);
  });

  it('gives back what waits for its time', async () => {
    const plan = client('process', { shape: 'constant', ms: 5 }, { rate: { limit: 10, perMs: 1_000 } });
    const events = [{ type: 'abort', client: 0, atMs: 2_510 }] as const;
    const { ledger, deliveries } = await tally(schedule({ messages: 100, clients: [plan], events, horizonMs: 20_000 }));
    expect(deliveries - ledger.run.log.starts.length).toBeLessThanOrEqual(3);
    expect(ledger.run.endedAt - ledger.run.startedAt).toBeLessThanOrEqual(2_600);
  });
});
