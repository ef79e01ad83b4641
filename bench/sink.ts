// Compares the sink with hand-written loops that push: npm run bench:sink [-- --quick] [-- --runs N] [-- --json FILE]
//
// A message counts once its push is confirmed. Shown are medians, their spread, and ratios within the run; times are
// this machine's.
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { compete, print, type Row } from './compete.ts';
import { pushScenarios } from './scenario.ts';
import { writers } from './writers.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    runs: { type: 'string', default: '5' },
    json: { type: 'string' },
  },
});

const rows: Row[] = [];
const contest = compete({
  task: 'fill',
  scenarios: pushScenarios,
  contenders: Object.keys(writers),
  floor: 'parallel fetch (floor)',
  runs: Number(values.runs),
  durationMs: () => (values.quick ? 1_600 : 3_000),
  messages: () => 0,
});
for await (const compared of contest) {
  print(compared);
  rows.push(...compared);
}
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(rows, undefined, 2)}\n`);
