import { once } from 'node:events';
import { ask, start } from './processes.ts';
import type { Assignment, Measured } from './scenario.ts';
import { median, spread } from './statistics.ts';
import { wireContenders } from './wire-contenders.ts';

/** What a contender did, over all runs. */
interface Row {
  readonly messagesPerSecond: number;
  readonly cpuMicros: number;
  /** How far the CPU times lie apart, as a share of their median. */
  readonly spread: number;
}

type Measure = 'cpuMicros' | 'messagesPerSecond';

/** What is asked of the library: at most so many times what the loop takes, or at least so many times what it does. */
const bars: readonly (readonly [contender: string, measure: Measure, times: number, loop: string])[] = [
  ['process (message)', 'cpuMicros', 0.75, 'loop of fetch'],
  ['process ()', 'cpuMicros', 0.75, 'loop of fetch'],
  ['for await', 'cpuMicros', 0.6, 'loop of fetch'],
  ['process (message)', 'cpuMicros', 2.2, 'loop of node:http'],
  ['process (message)', 'messagesPerSecond', 1.2, 'loop of fetch'],
];

/** What an observer may add to a message where nobody traces, in microseconds of CPU time. */
const mostObservedMicros = 1.5;

/**
 * Compares what a message costs to move: with loops of bare HTTP clients, and the official client. The server that
 * answers by what it has recorded and each contender have a process of their own, and the contenders take turns.
 */
export async function compareWires(options: {
  readonly quick: boolean;
  readonly runs: string | undefined;
}): Promise<void> {
  const runs = Number(options.runs ?? (options.quick ? 3 : 5));
  const measured = new Map<string, Measured[]>(Object.keys(wireContenders).map((name) => [name, []]));
  const server = start('wire-server-process');
  const [port] = (await once(server, 'message')) as [number];
  try {
    for (let run = 0; run < runs; run += 1) {
      for (const [name, all] of measured) all.push(await measure(name, port, options.quick ? 4_000 : 14_000));
    }
  } finally {
    server.kill();
  }
  const rows = new Map([...measured].map(([name, all]) => [name, rowOf(all)]));
  print(rows);
  for (const bar of bars) judge(rows, bar);
  judgeObserved(rows);
}

async function measure(contender: string, port: number, durationMs: number): Promise<Measured> {
  const client = start('client-process');
  const connection = {
    accountId: '023e105f4ecef8ad9ca31a8372d0c353',
    queueId: '123e105f4ecef8ad9ca31a8372d0c353',
    apiToken: 'token',
    baseUrl: `http://127.0.0.1:${port}`,
  };
  const work = { roundTripMs: 0, handlerMs: 0, bodyBytes: 200 };
  const assignment: Assignment = { ...work, task: 'wire', contender, connection, durationMs };
  const measured = await ask<Measured>(client, assignment);
  if (client.exitCode === null) await once(client, 'exit');
  return measured;
}

function rowOf(all: readonly Measured[]): Row {
  const cpu = all.map(({ cpuMs, handled }) => (cpuMs * 1_000) / handled);
  const speeds = all.map(({ handled, elapsedMs }) => (handled / elapsedMs) * 1_000);
  return { messagesPerSecond: median(speeds), cpuMicros: median(cpu), spread: spread(cpu) };
}

function print(rows: ReadonlyMap<string, Row>): void {
  const line = (name: string, ...cells: readonly string[]): void =>
    console.log(name.padEnd(30) + cells.map((cell) => cell.padStart(14)).join(''));
  const fetchLoop = rows.get('loop of fetch')?.cpuMicros ?? Number.NaN;
  line('', 'CPU µs each', 'spread', 'messages/s', '× fetch CPU');
  for (const [name, { cpuMicros, spread: apart, messagesPerSecond }] of rows) {
    const numbers = [cpuMicros.toFixed(2), `${(apart * 100).toFixed(0)} %`, messagesPerSecond.toFixed(0)];
    line(name, ...numbers, (cpuMicros / fetchLoop).toFixed(2));
  }
  console.log();
}

function judge(rows: ReadonlyMap<string, Row>, [contender, of, times, loop]: (typeof bars)[number]): void {
  const ratio = (rows.get(contender)?.[of] ?? Number.NaN) / (rows.get(loop)?.[of] ?? Number.NaN);
  const isMet = of === 'cpuMicros' ? ratio <= times : ratio >= times;
  const bar = `${of === 'cpuMicros' ? '≤' : '≥'} ${times} × ${loop}`;
  console.log(`${isMet ? 'met   ' : 'missed'}  ${contender}, ${of}: ${ratio.toFixed(2)} (${bar})`);
}

function judgeObserved(rows: ReadonlyMap<string, Row>): void {
  const of = (name: string): number => rows.get(name)?.cpuMicros ?? Number.NaN;
  const addedMicros = of('process (message), observed') - of('process (message)');
  const isMet = addedMicros <= mostObservedMicros;
  console.log(
    `${isMet ? 'met   ' : 'missed'}  observed: ${addedMicros.toFixed(2)} µs more (≤ ${mostObservedMicros} µs)`,
  );
}
