// Plants each mutant in a copy of the project and looks whether the tests notice:
// npm run mutants [-- NAME …] [-- --only SUBSTRING] [-- --units-first] [-- --json FILE]
//
// Two at a time, each by the simulation and, if that passes, by the unit tests, with at most ten minutes for each. Fails when
// one survives, or one that breaks an invariant survives the simulation. With `--units-first`, which is quicker, what breaks no invariant has
// the unit tests first. Not part of `npm run check`.
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { type Baseline, judgeMutant, planOf, type Verdict } from './judge-mutant.ts';
import { type Mutant, plant } from './mutant.ts';
import { mutants } from './mutants.ts';
import { Sandbox } from './sandbox.ts';
import { runTests } from './test-run.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string' }, 'units-first': { type: 'boolean', default: false }, json: { type: 'string' } },
});

function chosen(): readonly Mutant[] {
  const unknown = positionals.filter((name) => !mutants.some((mutant) => mutant.name === name));
  if (unknown.length > 0) throw new Error(`There is no mutant '${unknown.join("', '")}'`);
  return mutants.filter(({ name, file }) => {
    if (values.only !== undefined && !`${file} ${name}`.includes(values.only)) return false;
    return positionals.length === 0 || positionals.includes(name);
  });
}

/** Both phases at once, as they will have to share the machine. */
async function measure([one, two]: readonly [Sandbox, Sandbox]): Promise<Baseline> {
  const [simulation, unit] = await Promise.all([
    runTests(one.folder, planOf('simulation')),
    runTests(two.folder, planOf('unit tests')),
  ]);
  for (const { failure } of [simulation, unit])
    if (failure !== undefined) throw new Error(`Without a mutant: ${failure.test} fails: ${failure.text}`);
  console.log(`No mutant: simulation ${simulation.seconds.toFixed(0)} s, unit tests ${unit.seconds.toFixed(0)} s`);
  return { simulation, 'unit tests': unit };
}

function print({ mutant, killedBy, how, seconds, isWrong }: Verdict): void {
  const invariant = mutant.invariant === undefined ? '' : `${mutant.invariant}`;
  const columns = [isWrong ? '✗' : '✓', mutant.name, invariant, killedBy ?? 'SURVIVED', `${seconds.toFixed(0)} s`, how];
  console.log(columns.join(' \t'));
}

process.once('SIGINT', () => process.exit(130));
const root = process.cwd();
const list = chosen();
for (const mutant of list) plant(await readFile(mutant.file, 'utf8'), mutant);
const sandboxes = [await Sandbox.open(root), await Sandbox.open(root)] as const;
const verdicts: Verdict[] = [];
try {
  const baseline = await measure(sandboxes);
  const queue = list.values();
  const work = async (sandbox: Sandbox): Promise<void> => {
    for (const mutant of queue) {
      const verdict = await judgeMutant({ sandbox, baseline, unitsFirst: values['units-first'] }, mutant);
      verdicts.push(verdict);
      print(verdict);
    }
  };
  await Promise.all(sandboxes.map(work));
} finally {
  for (const sandbox of sandboxes) await sandbox[Symbol.asyncDispose]();
}
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(verdicts, undefined, 2)}\n`);
const wrong = verdicts.filter(({ isWrong }) => isWrong);
console.log(`${verdicts.length - wrong.length} of ${verdicts.length} killed as they should be`);
if (wrong.length > 0) process.exitCode = 1;
