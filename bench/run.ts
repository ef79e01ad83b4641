// Compares the library with hand-written loops: npm run bench [-- --quick] [-- --runs N] [-- --json FILE] [-- --svg FILE]
//
// The broker and each contender have a process of their own; the contenders take turns, so that a machine that slows down
// slows all of them. Shown are medians, their spread, and ratios within the run; times are this machine's.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { chart } from './chart.ts';
import { contenders } from './contenders.ts';
import type { FillRequest } from './broker-process.ts';
import { type Assignment, type Measured, nameOf, quickScenarios, type Scenario, scenarios } from './scenario.ts';
import { median, spread } from './statistics.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    runs: { type: 'string', default: '3' },
    json: { type: 'string' },
    svg: { type: 'string' },
  },
});
const runs = Number(values.runs);
const durationMs = values.quick ? 1_600 : 3_000;

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

const broker = start('broker-process');
let opened = 0;

function start(name: string): ChildProcess {
  return fork(new URL(`${name}.js`, import.meta.url), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

async function ask<Answer>(child: ChildProcess, request: object): Promise<Answer> {
  const answered = once(child, 'message') as Promise<[Answer]>;
  child.send(request);
  return (await answered)[0];
}

async function measure(contender: string, scenario: Scenario): Promise<Measured> {
  opened += 1;
  // More than the fastest could handle in its time.
  const messages = scenario.handlerMs === 0 ? Math.round(durationMs * (scenario.bodyBytes > 1_000 ? 20 : 80)) : 40_000;
  const fill: FillRequest = { ...scenario, name: `bench-${opened}`, messages };
  const connection = await ask<Assignment['connection']>(broker, fill);
  const client = start('client-process');
  const assignment: Assignment = { contender, connection, handlerMs: scenario.handlerMs, durationMs };
  const measured = await ask<Measured>(client, assignment);
  await once(client, 'exit');
  return measured;
}

async function compare(scenario: Scenario): Promise<Row[]> {
  const names = Object.keys(contenders);
  const measured = new Map<string, Measured[]>(names.map((name) => [name, []]));
  for (let run = 0; run < runs; run += 1) {
    for (const name of names) measured.get(name)?.push(await measure(name, scenario));
  }
  const speeds = new Map(
    [...measured].map(([name, all]) => [name, all.map(({ handled, elapsedMs }) => (handled / elapsedMs) * 1_000)]),
  );
  const floor = median(speeds.get('pipelined fetch (floor)') ?? []);
  return names.map((contender) => {
    const speed = speeds.get(contender) ?? [];
    const all = measured.get(contender) ?? [];
    return {
      scenario: nameOf(scenario),
      contender,
      messagesPerSecond: median(speed),
      spread: spread(speed),
      cpuMicrosPerMessage: median(all.map(({ cpuMs, handled }) => (cpuMs * 1_000) / handled)),
      requestsPerThousand: median(all.map(({ requests, handled }) => (requests * 1_000) / handled)),
      ofFloor: median(speed) / floor,
    };
  });
}

function print(rows: readonly Row[]): void {
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

const rows: Row[] = [];
for (const scenario of values.quick ? quickScenarios : scenarios) {
  const compared = await compare(scenario);
  print(compared);
  rows.push(...compared);
}
broker.disconnect();
broker.kill();
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(rows, undefined, 2)}\n`);
if (values.svg !== undefined) await writeFile(values.svg, chart(rows));
