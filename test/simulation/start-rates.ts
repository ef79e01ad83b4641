import type { Invariant } from './invariant.ts';

/** No stretch of a rate's length has more messages handed out than its limit, wherever it begins. */
export const ratesAreKept: Invariant = (ledger) => {
  const wrong: string[] = [];
  for (const { client, plan, surface } of ledger.run.clients) {
    const { rate } = plan;
    if (rate === undefined || surface.concurrency === undefined) continue;
    const times = ledger
      .startsBy(client)
      .map((start) => start.handed.at)
      .toSorted((a, b) => a - b);
    for (const [index, at] of times.entries()) {
      const before = times[index - rate.limit];
      if (before === undefined || at - before >= rate.perMs) continue;
      wrong.push(`client ${client} started ${rate.limit + 1} within ${at - before} of ${rate.perMs} ms`);
    }
  }
  return wrong;
};
