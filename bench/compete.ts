import { once } from 'node:events';
import type { FillRequest } from './broker-process.ts';
import { ask, start } from './processes.ts';
import { type Assignment, type Measured, nameOf, type Scenario } from './scenario.ts';
import { median, spread } from './statistics.ts';

/** Who competes at what, and for how long. */
export interface Contest {
  readonly task: Assignment['task'];
  readonly scenarios: readonly Scenario[];
  /** In the order in which they are shown. */
  readonly contenders: readonly string[];
  /** The contender whose speed the others' are multiples of. */
  readonly floor: string;
  readonly runs: number;
  readonly durationMs: (scenario: Scenario) => number;
  /** How many messages are in the queue at the beginning: more than the fastest could handle in its time. */
  readonly messages: (scenario: Scenario) => number;
}

/** What a contender did in one scenario, over all runs. */
export interface Row {
  readonly scenario: string;
  readonly contender: string;
  readonly messagesPerSecond: number;
  readonly spread: number;
  readonly cpuMicrosPerMessage: number;
  readonly requestsPerThousand: number;
  /** Messages a second as a multiple of the floor's. */
  readonly ofFloor: number;
}

/**
 * Measures the contenders scenario by scenario. The broker and each contender have a process of their own, and the
 * contenders take turns, so that a machine that slows down slows all of them.
 */
export async function* compete(contest: Contest): AsyncGenerator<Row[]> {
  const broker = start('broker-process');
  let opened = 0;
  const measure = async (contender: string, scenario: Scenario): Promise<Measured> => {
    opened += 1;
    const fill: FillRequest = { ...scenario, name: `bench-${opened}`, messages: contest.messages(scenario) };
    const connection = await ask<Assignment['connection']>(broker, fill);
    const client = start('client-process');
    const { task } = contest;
    const durationMs = contest.durationMs(scenario);
    const assignment: Assignment = { ...scenario, task, contender, connection, durationMs };
    const measured = await ask<Measured>(client, assignment);
    await once(client, 'exit');
    return measured;
  };
  try {
    for (const scenario of contest.scenarios) yield await compare(contest, scenario, measure);
  } finally {
    broker.kill();
  }
}

type Measure = (contender: string, scenario: Scenario) => Promise<Measured>;

async function compare(contest: Contest, scenario: Scenario, measure: Measure): Promise<Row[]> {
  const { task, contenders, floor, runs } = contest;
  const measured = new Map<string, Measured[]>(contenders.map((name) => [name, []]));
  for (let run = 0; run < runs; run += 1) {
    for (const [name, all] of measured) all.push(await measure(name, scenario));
  }
  const speeds = new Map(
    [...measured].map(([name, all]) => [name, all.map(({ handled, elapsedMs }) => (handled / elapsedMs) * 1_000)]),
  );
  const floorSpeed = median(speeds.get(floor) ?? []);
  return contenders.map((contender) => {
    const speed = speeds.get(contender) ?? [];
    const all = measured.get(contender) ?? [];
    return {
      scenario: nameOf(scenario, task),
      contender,
      messagesPerSecond: median(speed),
      spread: spread(speed),
      cpuMicrosPerMessage: median(all.map(({ cpuMs, handled }) => (cpuMs * 1_000) / handled)),
      requestsPerThousand: median(all.map(({ requests, handled }) => (requests * 1_000) / handled)),
      ofFloor: median(speed) / floorSpeed,
    };
  });
}

/** Prints the rows of one scenario as a table. */
export function print(rows: readonly Row[]): void {
  const line = (cells: readonly string[]): string =>
    cells.map((cell, index) => (index === 0 ? cell.padEnd(26) : cell.padStart(14))).join('');
  console.log(`\n${rows[0]?.scenario}`);
  console.log(line(['', 'messages/s', 'spread', 'CPU µs each', 'requests/1000', '× floor']));
  for (const row of rows) {
    const { contender, messagesPerSecond, spread: apart, cpuMicrosPerMessage, requestsPerThousand, ofFloor } = row;
    const numbers = [messagesPerSecond.toFixed(0), `${(apart * 100).toFixed(0)} %`, cpuMicrosPerMessage.toFixed(1)];
    console.log(line([contender, ...numbers, requestsPerThousand.toFixed(1), ofFloor.toFixed(2)]));
  }
}
