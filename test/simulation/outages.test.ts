import { describe, expect, it, vi } from 'vitest';
import { type Failing, weather } from './outage.ts';
import { seededRandom } from './seeded-random.ts';

vi.setConfig({ testTimeout: 120_000 });

const messages = 2_000;

const failing: readonly Failing[] = ['at once', 'after its work', 'after 5 s'];

/** Whether a message fails for good: any share of them. */
function anyOf(share: number): (number: number) => boolean {
  const random = seededRandom(5);
  const bad = Array.from({ length: 10_000 }, () => random() < share);
  return (number) => bad[number] ?? false;
}

describe.each([30_000, 600_000])('an outage of %s ms, two consumers, 2 000 messages, four attempts', (downMs) => {
  describe.each(failing)('in which handlers fail %s', (how) => {
    it.each([0, 1_000])('loses none and is made good within a minute, where it begins after %s ms', async (fromMs) => {
      const toMs = fromMs + downMs;
      const seen = await weather({ messages, down: [[fromMs, toMs]], failing: how });
      expect([seen.deadLettered, seen.handled, seen.openings]).toEqual([0, messages, 2]);
      expect(seen.lastAt - toMs).toBeLessThanOrEqual(60_000);
      expect(seen.failures).toBeLessThanOrEqual(320);
    });

    it('costs few messages no more attempts than they have', async () => {
      const seen = await weather({ messages: 20, down: [[0, downMs]], failing: how });
      expect([seen.deadLettered, seen.handled]).toEqual([0, 20]);
    });
  });
});

describe('without a breaker', () => {
  it('an outage of 30 s sends all to the dead letter queue', async () => {
    const seen = await weather({ messages, down: [[0, 30_000]], options: { breaker: false, isolateSuspects: false } });
    expect([seen.deadLettered, seen.failures]).toEqual([messages, 4 * messages]);
  });
});

describe('other outages', () => {
  it('of two hours cost 200 messages no more attempts than they have', async () => {
    const seen = await weather({ messages: 200, down: [[0, 7_200_000]] });
    expect([seen.deadLettered, seen.handled]).toEqual([0, 200]);
  });

  it('of 10 min with a message each second lose next to none', async () => {
    const seen = await weather({ messages: 0, perSecond: 1, untilMs: 700_000, down: [[60_000, 660_000]] });
    expect(seen.deadLettered).toBeLessThanOrEqual(5);
    expect(seen.handled + seen.deadLettered).toBe(700);
  });

  it('that come three times in a row lose none', async () => {
    const down = [0, 50_000, 100_000].map((atMs) => [10_000 + atMs, 40_000 + atMs] as const);
    const seen = await weather({ messages, perSecond: 20, down, failing: 'at once' });
    expect(seen.deadLettered).toBe(0);
  });
});

describe('messages that fail for good beside others', () => {
  it('do not hold up the others: one in 20', async () => {
    const isBad = (number: number): boolean => number % 20 === 7;
    const seen = await Promise.all(
      [{ breaker: false } as const, {}].map((options) => weather({ messages, down: [], isBad, options })),
    );
    expect(seen[1]?.lastAt).toBe(seen[0]?.lastAt);
  });

  it.each([0.3, 0.6])('do not hold up the others: %s of 2 000 that are there', async (share) => {
    const seen = await weather({ messages, down: [], isBad: anyOf(share) });
    expect(seen.lastAt).toBeLessThanOrEqual(1.03 * 5_160);
  });

  it.each([
    [0.3, 1],
    [0.3, 20],
    [0.6, 1],
    [0.6, 20],
    [0.6, 100],
  ])('do not hold up the others: %s of %s a second', async (share, perSecond) => {
    const seen = await weather({
      messages: 0,
      perSecond,
      untilMs: 2_000_000 / perSecond,
      down: [],
      isBad: anyOf(share),
      // What may have ended a process is started alone, which takes its time where two fail so much: that is not the breaker's.
      options: { isolateSuspects: false },
    });
    expect(seen.handled + seen.deadLettered).toBeGreaterThanOrEqual(1_990);
    expect(Math.max(...seen.tookMs)).toBeLessThanOrEqual(1_000);
  });

  it('hold up the others for a tenth of a lease at most, where those that fail may have ended a process', async () => {
    const seen = await weather({ messages: 0, perSecond: 100, untilMs: 20_000, down: [], isBad: anyOf(0.6) });
    expect(seen.handled + seen.deadLettered).toBeGreaterThanOrEqual(1_990);
    expect(Math.max(...seen.tookMs)).toBeLessThanOrEqual(3_000);
  });

  it('do not hold up the others: a burst of 80', async () => {
    const seen = await weather({ messages, down: [], isBad: (number) => number >= 300 && number < 380 });
    expect([seen.handled, seen.lastAt <= 1.03 * 5_160]).toEqual([1_920, true]);
  });
});

describe('work that does not fail', () => {
  it('takes as long as without a breaker', async () => {
    const seen = await Promise.all(
      [{ breaker: false } as const, {}].map((options) => weather({ messages, down: [], options })),
    );
    expect(seen[1]?.lastAt).toBe(seen[0]?.lastAt);
  });
});
