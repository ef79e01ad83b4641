import { describe, expect, it } from 'vitest';
import { quantile } from '../../bench/statistics.ts';
import { type Seen, watchLoad } from './load.ts';
import { planScale, readScaleTable, type RoundTripMs, type ScaleRow } from './scale.ts';

const rows = readScaleTable();

function rowOf(messagesPerSecond: number, handlerMs: number): ScaleRow {
  const row = rows.find((each) => each.messagesPerSecond === messagesPerSecond && each.handlerMs === handlerMs);
  if (row === undefined) throw new Error(`The table has no row for ${messagesPerSecond} messages/s of ${handlerMs} ms`);
  return row;
}

describe('the table of processes in docs/operations.md', () => {
  it('ends where the service does', () => {
    expect(rows).toHaveLength(13);
    expect(Math.max(...rows.map(({ messagesPerSecond }) => messagesPerSecond))).toBe(5_000);
  });

  it.each(rows)('follows from its formulas: $messagesPerSecond messages/s, handlers of $handlerMs ms', (row) => {
    expect(row).toEqual(planScale(row.messagesPerSecond, row.handlerMs));
  });

  it.each<[number, number, RoundTripMs]>([
    [10, 100, 100],
    [100, 1_000, 20],
    [1_000, 1_000, 100],
    [5_000, 10, 20],
  ])(
    'holds for %i messages/s, handlers of %i ms and a round trip of %i ms',
    async (messagesPerSecond, handlerMs, roundTripMs) => {
      const row = rowOf(messagesPerSecond, handlerMs);
      const seen = await watch(row, roundTripMs);
      const inQueue = (messagesPerSecond * (handlerMs + 250 + 2 * roundTripMs)) / 1_000;
      expect(seen.mostInQueue).toBeLessThanOrEqual(inQueue + chance(inQueue));
      expect(Math.abs(seen.handled - seen.pushed)).toBeLessThanOrEqual(inQueue + chance(inQueue));
      expect(seen.repeats).toBe(0);
      expect(quantile(seen.waits, 0.99)).toBeLessThanOrEqual(250 + 2 * roundTripMs);
      const ahead = ((messagesPerSecond / row.processes) * Math.max(250, 2 * roundTripMs)) / 1_000;
      expect(seen.mostHeld).toBeLessThanOrEqual(row.concurrency + ahead + chance(ahead));
      expectCosts(seen, row, roundTripMs);
    },
  );

  it.each<RoundTripMs>([20, 100])('tells what 1 message/s costs, with a round trip of %i ms', async (roundTripMs) => {
    const row = rowOf(1, 100);
    expectCosts(await watch(row, roundTripMs), row, roundTripMs);
  });
});

function watch({ messagesPerSecond, handlerMs, processes, concurrency }: ScaleRow, roundTripMs: number): Promise<Seen> {
  const seconds = Math.min(120, 20_000 / messagesPerSecond);
  return watchLoad({ messagesPerSecond, handlerMs, roundTripMs, processes, concurrency, seconds });
}

/** By how much a number of messages that come at random may be larger. */
function chance(messages: number): number {
  return 5 * Math.sqrt(messages);
}

/** The row tells the requests and the operations to a quarter. */
function expectCosts(seen: Seen, row: ScaleRow, roundTripMs: RoundTripMs): void {
  const requests = row.requestsPerThousand[roundTripMs];
  const emptyPulls = row.operationsPerThousand[roundTripMs] - 3_000;
  const perThousand = 1_000 / seen.handled;
  expect(Math.abs((seen.pulls + seen.settleCalls) * perThousand - requests)).toBeLessThanOrEqual(requests / 4);
  expect(Math.abs(seen.emptyPulls * perThousand - emptyPulls)).toBeLessThanOrEqual(10 + emptyPulls / 4);
}
