// Compares the library with hand-written loops: npm run bench [-- --quick] [-- --runs N] [-- --json FILE] [-- --svg FILE]
// and with --wire by recorded answers, where a message costs next to nothing but what it costs to move.
//
// Shown are medians, their spread, and ratios within the run; times are this machine's.
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { chart } from './chart.ts';
import { compete, print, type Row } from './compete.ts';
import { contenders } from './contenders.ts';
import { quickScenarios, type Scenario, scenarios } from './scenario.ts';
import { compareWires } from './wire.ts';

const { values } = parseArgs({
  options: {
    wire: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    runs: { type: 'string' },
    json: { type: 'string' },
    svg: { type: 'string' },
  },
});

/** Long where nothing waits, since there the CPU time counts, and code goes on being compiled for seconds. */
function durationMs({ roundTripMs, handlerMs, bodyBytes }: Scenario): number {
  if (values.quick) return 1_200;
  return roundTripMs + handlerMs === 0 && bodyBytes < 1_000 ? 10_000 : 3_000;
}

if (values.wire) await compareWires({ quick: values.quick, runs: values.runs });
else await compareReaders();

async function compareReaders(): Promise<void> {
  const rows: Row[] = [];
  const contest = compete({
    task: 'drain',
    scenarios: values.quick ? quickScenarios : scenarios,
    contenders: Object.keys(contenders),
    floor: 'pipelined fetch (floor)',
    runs: Number(values.runs ?? (values.quick ? 2 : 3)),
    durationMs,
    messages: (scenario) =>
      scenario.handlerMs === 0 ? durationMs(scenario) * (scenario.bodyBytes > 1_000 ? 20 : 60) : 40_000,
  });
  for await (const compared of contest) {
    print(compared);
    rows.push(...compared);
  }
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(rows, undefined, 2)}\n`);
  if (values.svg !== undefined) await writeFile(values.svg, chart(rows));
}
