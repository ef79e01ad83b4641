import { basename } from 'node:path';
import type { Mutant } from './mutant.ts';
import type { Sandbox } from './sandbox.ts';
import { runTests, type TestFailure, type TestPlan, type TestRun } from './test-run.ts';

/** How long the simulation and the unit tests may each take with a mutant, in milliseconds. */
const limitMs = 600_000;

/** What a mutant is to be killed by. Invariants 10 and 12 are about sinks, and have property tests beside those. */
const phases = {
  simulation: ['test/simulation', 'test/convert/sinks.property.test.ts', 'test/convert/claims.property.test.ts'],
  'unit tests': ['test/lease', 'test/consumer', 'test/producer', 'test/convert', 'test/queue'],
};

export type Phase = keyof typeof phases;

/** How each phase went without a mutant. */
export type Baseline = Readonly<Record<Phase, TestRun>>;

/** What a judgement needs beside the mutant. */
export interface Court {
  readonly sandbox: Sandbox;
  readonly baseline: Baseline;
  /** The unit tests come first where no invariant is broken. */
  readonly unitsFirst: boolean;
}

/** What became of a mutant. */
export interface Verdict {
  readonly mutant: Mutant;
  /** `undefined` when it survived. */
  readonly killedBy: Phase | 'time-out' | undefined;
  /** The test that failed, or what else happened. */
  readonly how: string;
  readonly seconds: number;
  readonly isWrong: boolean;
}

/** The tests of a phase, those first that are most likely to notice. */
export function planOf(phase: Phase, mutant?: Mutant): TestPlan {
  const own = mutant === undefined ? [] : [`/${basename(mutant.file, '.ts')}.`];
  const first = phase === 'simulation' ? ['invariants', '.property.', 'regressions', 'replies', 'soak'] : own;
  return { tests: phases[phase], first, limitMs };
}

/** Runs the simulation, and then, unless that fails, the unit tests, with the mutant planted. */
export async function judgeMutant({ sandbox, baseline, unitsFirst }: Court, mutant: Mutant): Promise<Verdict> {
  const order: Phase[] = ['simulation', 'unit tests'];
  if (unitsFirst && mutant.invariant === undefined) order.reverse();
  return sandbox.with(mutant, async () => {
    let seconds = 0;
    for (const phase of order) {
      const run = await runTests(sandbox.folder, planOf(phase, mutant));
      seconds += run.seconds;
      const { failure } = run;
      if (failure === undefined || !counts(failure, baseline[phase])) continue;
      const killedBy = failure.exceededMs === undefined ? phase : 'time-out';
      const isWrong = mutant.invariant !== undefined && phase !== 'simulation';
      return { mutant, killedBy, how: describe(failure), seconds, isWrong };
    }
    return { mutant, killedBy: undefined, how: '', seconds, isWrong: true };
  });
}

/** A test that takes too long says something only where it takes less than a third of its time otherwise. */
function counts({ test, exceededMs }: TestFailure, { seconds, durations }: TestRun): boolean {
  if (exceededMs === undefined) return true;
  return (test === undefined ? seconds * 1_000 : (durations.get(test) ?? Infinity)) < exceededMs / 3;
}

function describe({ test, text }: TestFailure): string {
  const invariant = /invariant [^:\n]+: [^\n]*/u.exec(text)?.[0];
  return [test ?? 'the run', invariant ?? text.split('\n')[0] ?? '']
    .map((part) => part.trim().slice(0, 140))
    .join(' | ');
}
