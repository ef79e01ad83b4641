// What befalls consumers in the field, over real sockets, the service in a process of its own:
// npm run bench:field [-- --quick] [-- --full] [-- --only PART OF A NAME] [-- --json FILE]
//
// Each row is a ratio, a count or a time with its bar: the most that it may be. `--full` has outages of 30 s and 10 min by
// the machine's clock, which take a quarter of an hour; otherwise clocks are fast there.
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { hung } from './field/hung.ts';
import { outageOfHandlers } from './field/outage.ts';
import { poisoned } from './field/poison.ts';
import { quota } from './field/rate.ts';
import { judge, print, type Row } from './field/row.ts';
import { terminated } from './field/sigterm.ts';
import { swallowed } from './field/swallowed.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
  },
});

const scale = values.full ? 'full' : values.quick ? 'quick' : 'usual';
const rows: Row[] = [];
for (const scenario of [swallowed, outageOfHandlers, poisoned, quota, terminated, hung]) {
  if (!scenario.name.toLowerCase().includes(values.only.toLowerCase())) continue;
  const judged = await judge(scenario, scale);
  print(judged);
  rows.push(...judged);
}
console.log(`\n${rows.filter(({ isMet }) => isMet).length} of ${rows.length} met`);
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(rows, undefined, 2)}\n`);
