// What a message costs in a `for await` loop, beside other things that such loops read: npm run bench:iterators
// [-- --messages N] [-- --rounds N] [-- --json FILE]
//
// The queue has a transport that costs nothing, so that what is measured is the library alone: pulls are planned, leases
// watched and acknowledgements gathered, but no request is made. Every message is made ahead of its round, with an id
// that nobody has looked at; each loop looks at it, as a handler does. The sources take turns; shown are medians over the
// rounds, after two that don't count.
//
// The bytes are counted by a process of its own for each source, whose young generation is so large that nothing is
// collected meanwhile: by how much the heap in use grows is then all that was allocated, garbage included.
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { Allocated, AllocationRequest } from './allocation-process.ts';
import { baseline, sources, time, warmUpRounds } from './loop-sources.ts';
import { ask, start } from './processes.ts';
import { median, spread } from './statistics.ts';

const youngGeneration = ['--max-semi-space-size=1024', '--min-semi-space-size=1024'];

interface Row extends Allocated {
  readonly source: string;
  readonly nanoseconds: number;
  readonly spread: number;
  /** The time as a multiple of the array-backed iterator's. */
  readonly ofArray: number;
}

async function compare(count: number, rounds: number): Promise<Row[]> {
  const times = new Map(Object.keys(sources).map((name) => [name, [] as number[]]));
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    for (const [name, open] of Object.entries(sources)) {
      const nanoseconds = await time(open, count);
      if (round >= 0) times.get(name)?.push(nanoseconds);
    }
  }
  const array = median(times.get(baseline) ?? []);
  const rows: Row[] = [];
  for (const [source, all] of times) {
    const request: AllocationRequest = { source, count: Math.ceil(count / 4) };
    const allocated = await ask<Allocated>(start('allocation-process', youngGeneration), request);
    const nanoseconds = median(all);
    rows.push({ source, nanoseconds, spread: spread(all), ofArray: nanoseconds / array, ...allocated });
  }
  return rows;
}

function print(rows: readonly Row[]): void {
  const line = (cells: readonly string[]): string =>
    cells.map((cell, index) => (index === 0 ? cell.padEnd(24) : cell.padStart(12))).join('');
  console.log(line(['', 'ns each', 'spread', '× array', 'bytes each']));
  for (const { source, nanoseconds, spread: apart, ofArray, bytesPerMessage, collections } of rows) {
    const bytes = `${collections === 0 ? '' : '≥ '}${bytesPerMessage.toFixed(0)}`;
    console.log(line([source, nanoseconds.toFixed(0), `${(apart * 100).toFixed(0)} %`, ofArray.toFixed(2), bytes]));
  }
}

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '200000' },
    rounds: { type: 'string', default: '9' },
    json: { type: 'string' },
  },
});

const rows = await compare(Number(values.messages), Number(values.rounds));
print(rows);
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(rows, undefined, 2)}\n`);
