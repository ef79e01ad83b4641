import { describe, expect, it } from 'vitest';
import { createBroker, ManualClock } from '../../src/broker.ts';
import { openQueue, type Queue } from '../../src/index.ts';

const limit = { requests: 10, perMs: 9_000 };

/** Opens handles, and notes when each of their requests is made. */
function watchedHandles(): {
  readonly clock: ManualClock;
  readonly times: number[];
  open(options?: Readonly<Record<string, unknown>>): Queue<number>;
} {
  const clock = new ManualClock();
  const times: number[] = [];
  const fetch = async (): Promise<Response> => {
    times.push(clock.monotonic());
    return Response.json({ success: true, errors: [], messages: [], result: {} });
  };
  const given = { accountId: 'account', queueId: 'queue', apiToken: 'token', baseUrl: 'https://broker.invalid/v4' };
  const open = (options: Readonly<Record<string, unknown>> = {}): Queue<number> =>
    openQueue({ ...given, fetch, clock, pushLimit: limit, ...options });
  return { clock, times, open };
}

describe('pushBucket()', () => {
  it('is shared by the handles of one account', async () => {
    const { clock, times, open } = watchedHandles();
    const queues = [open(), open({ queueId: 'other' }), open({ apiToken: 'another', pushLimit: { ...limit } })];
    await clock.runUntil(Promise.all(queues.map((queue) => queue.send(1))));
    expect(times).toEqual([0, 1_000, 2_000]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is shared by handles that are opened for one push each', async () => {
    const { clock, times, open } = watchedHandles();
    for (let body = 0; body < 4; body += 1) await clock.runUntil(open().send(body));
    expect(times).toEqual([0, 1_000, 2_000, 3_000]);
  });

  it('keeps handles that nothing was said of to 1 200 requests in 300 s, a tenth of them at once', async () => {
    const { clock, times, open } = watchedHandles();
    const send = async (queue: Queue<number>): Promise<void> => {
      for (let body = 0; body < 400; body += 1) await queue.send(body);
    };
    const baseUrl = 'https://api.cloudflare.com/client/v4';
    const queues = [1, 2, 3, 4].map(() => open({ baseUrl, pushLimit: undefined }));
    await clock.runUntil(Promise.all(queues.map(send)));
    expect(times).toHaveLength(1_600);
    expect(times.filter((at) => at === 0)).toHaveLength(120);
    expect(times.filter((at) => at < 300_000).length).toBeLessThanOrEqual(1_200);
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['account', { accountId: 'other' }],
    ['address', { baseUrl: 'https://other.invalid/v4' }],
    ['limit', { pushLimit: { requests: 10, perMs: 9_001 } }],
    ['limit, none', { pushLimit: false }],
    ['clock', { clock: new ManualClock() }],
    ['transport, which tells of no account', { transport: createBroker().transport('jobs') }],
  ])('counts a handle with another %s by itself', async (_, other) => {
    const { clock, open } = watchedHandles();
    await clock.runUntil(open().send(1));
    await clock.runUntil(open(other).send(1));
    expect(clock.monotonic()).toBe(0);
  });
});
