import { Subject } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import type { LeasedMessage, RetryOptions, Settlement } from '../../src/index.ts';
import { settleMap, type SettleMapOptions } from '../../src/rxjs.ts';

// A message is a letter, and a frame a millisecond.

interface Scene {
  /** The messages as they come. */
  readonly messages: string;
  /** The work on each. */
  readonly works: Readonly<Record<string, string>>;
  readonly options?: SettleMapOptions<string>;
  /** When the whole is unsubscribed from: `!`. */
  readonly until?: string;
}

interface Seen {
  readonly results: string;
  /** `A` where `a` was acknowledged, `a` where it was retried. */
  readonly settled: string;
  /** From when to when each was worked on; none for those that were not begun. */
  readonly worked: Readonly<Record<string, string | readonly string[]>>;
  /** From when to when the messages were asked for. */
  readonly asked?: string;
  /** The delays of the retries, in turn. */
  readonly delays?: readonly unknown[];
}

const leaseMs = 20;

function expectSeen({ messages, works, options, until }: Scene, seen: Seen): void {
  const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
  const settled = new Subject<string>();
  const delays: unknown[] = [];
  const messageOf = (body: string): Partial<LeasedMessage<string>> => ({
    body,
    get leaseRemainingMs() {
      return leaseMs - scheduler.now();
    },
    async ack(): Promise<Settlement> {
      settled.next(body.toUpperCase());
      return { outcome: 'acked', late: false };
    },
    async retry({ delaySeconds }: RetryOptions = {}): Promise<Settlement> {
      settled.next(body);
      delays.push(delaySeconds);
      return { outcome: 'retried', late: false };
    },
  });
  scheduler.run(({ cold, expectObservable, expectSubscriptions, hot }) => {
    const letters = Object.keys(works).map((letter) => [letter, messageOf(letter) as LeasedMessage<string>] as const);
    const source = hot(messages, Object.fromEntries(letters));
    const colds = new Map(Object.entries(works).map(([letter, marbles]) => [letter, cold(marbles)]));
    const results = source.pipe(settleMap(({ body }) => colds.get(body)!, options));
    expectObservable(results, until).toBe(seen.results);
    expectObservable(settled).toBe(seen.settled);
    for (const [letter, marbles] of Object.entries(seen.worked)) {
      expectSubscriptions(colds.get(letter)!.subscriptions).toBe([marbles].flat());
    }
    if (seen.asked !== undefined) expectSubscriptions(source.subscriptions).toBe(seen.asked);
  });
  if (seen.delays !== undefined) expect(delays).toEqual(seen.delays);
}

describe('settleMap(), in marbles', () => {
  it('works on as many at once as it may, begins the rest in turn, and gives results as they come', () => {
    expectSeen(
      {
        messages: '-ab-cd---------|',
        works: {
          a: '     ---1--|',
          b: '      -2-|',
          c: '         --3--|',
          d: '           -4|',
        },
        options: { concurrency: 2 },
      },
      {
        results: ' ---21--34------|',
        settled: ' -----B-A-DC',
        worked: {
          a: '     -^-----!',
          b: '     --^--!',
          c: '     -----^----!',
          d: '     -------^-!',
        },
      },
    );
  });

  it('completes when the last work has ended', () => {
    expectSeen(
      { messages: '-a|', works: { a: '--1--|' } },
      { results: ' ---1--|', settled: '------A', worked: { a: '-^----!' } },
    );
  });

  it('goes on when the work on a message fails, and retries that', () => {
    expectSeen(
      {
        messages: '-a-b--c|',
        works: {
          a: '     --1----#',
          b: '       -2|',
          c: '          #',
        },
        options: { retryDelaySeconds: 7 },
      },
      {
        results: ' ---12---|',
        settled: ' -----Bc-a',
        worked: {
          a: '     -^------!',
          b: '     ---^-!',
          c: '     ------(^!)',
        },
        delays: [7, 7],
      },
    );
  });

  it('leaves the work when it is unsubscribed from, and gives back what runs and what waits', () => {
    expectSeen(
      {
        messages: '-abcd---|',
        works: {
          a: '     -1------|',
          b: '      --2|',
          c: '         ---3|',
          d: '         4|',
        },
        options: { concurrency: 2 },
        until: '   ------!',
      },
      {
        results: ' --1-2-',
        settled: ' -----B(dac)',
        asked: '   ^-----!',
        worked: {
          a: '     -^----!',
          b: '     --^--!',
          c: '     -----^!',
          d: [],
        },
        delays: [0, 0, 0],
      },
    );
  });

  it('does the same when its source fails, and passes the error on', () => {
    expectSeen(
      { messages: '-ab-#', works: { a: '------1|', b: '2|' }, options: { concurrency: 1 } },
      {
        results: ' ----#',
        settled: ' ----(ba)',
        worked: { a: '-^--!', b: [] },
        delays: [0, 0],
      },
    );
  });

  it('begins no work on a message whose lease ended while it waited', () => {
    expectSeen(
      { messages: '-ab|', works: { a: '25ms |', b: '2|' }, options: { concurrency: 1 } },
      { results: ' 26ms |', settled: '26ms A', worked: { a: '-^ 24ms !', b: [] } },
    );
  });
});
