import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Tests to run. */
export interface TestPlan {
  /** Folders and files, from the root of the project. */
  readonly tests: readonly string[];
  /** Parts of the names of the files to run first. */
  readonly first: readonly string[];
  /** How long all of them may take, in milliseconds. */
  readonly limitMs: number;
}

/** How tests went. */
export interface TestRun {
  readonly seconds: number;
  /** How long each test took that ran, in milliseconds, by its name. */
  readonly durations: ReadonlyMap<string, number>;
  /** The first failure; `undefined` when all passed. */
  readonly failure: TestFailure | undefined;
}

export interface TestFailure {
  /** The test's name; `undefined` when the run itself failed, or took too long. */
  readonly test: string | undefined;
  readonly text: string;
  /** The limit that was exceeded, of the test or the run, in milliseconds. */
  readonly exceededMs: number | undefined;
}

interface Report {
  readonly testResults: ReadonlyArray<{
    readonly message: string;
    readonly assertionResults: ReadonlyArray<{
      readonly status: string;
      readonly fullName: string;
      readonly duration?: number;
      readonly failureMessages: readonly string[];
    }>;
  }>;
}

/**
 * Runs tests of the project in a folder until one fails.
 *
 * @throws Error when a file of tests could not be loaded: that says nothing of what the tests notice
 */
export async function runTests(folder: string, { tests, first, limitMs }: TestPlan): Promise<TestRun> {
  const reportFile = join(folder, '.tmp-report.json');
  await rm(reportFile, { force: true });
  const startedAt = performance.now();
  const vitest = join(folder, 'node_modules/vitest/vitest.mjs');
  const args = ['run', '--config=test/mutants/vitest.config.ts', '--reporter=json', `--outputFile=${reportFile}`];
  const child = spawn(process.execPath, [vitest, ...args, ...tests], {
    cwd: folder,
    env: { ...process.env, MUTANTS_FIRST: first.join(',') },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Its workers end with it.
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const kill = (): void => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
  };
  // Whoever ends this, by a key or an error, ends it as well.
  process.once('exit', kill);
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
    kill();
  }, limitMs);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  clearTimeout(timer);
  process.off('exit', kill);
  const seconds = (performance.now() - startedAt) / 1_000;
  if (isOver) return { seconds, durations: new Map(), failure: tookTooLong(limitMs) };
  const report = JSON.parse(await readFile(reportFile, 'utf8').catch(() => '{"testResults":[]}')) as Report;
  const failure = firstFailure(report) ?? (code === 0 ? undefined : { ...unknown, text: output.slice(-2_000) });
  return { seconds, durations: durationsOf(report), failure };
}

const unknown = { test: undefined, exceededMs: undefined };

function tookTooLong(limitMs: number): TestFailure {
  return { test: undefined, text: `took longer than ${limitMs} ms`, exceededMs: limitMs };
}

function durationsOf({ testResults }: Report): ReadonlyMap<string, number> {
  const all = testResults.flatMap(({ assertionResults }) => assertionResults);
  return new Map(all.map(({ fullName, duration = 0 }) => [fullName, duration]));
}

/** The least that any test may take, in milliseconds: the limit of those that set none. */
const testTimeoutMs = 30_000;

/** The report shows the stack of a time-out, in which this stands for its message. */
function isTimeOut(text: string): boolean {
  return text.startsWith('Error: STACK_TRACE_ERROR');
}

function firstFailure({ testResults }: Report): TestFailure | undefined {
  for (const { message, assertionResults } of testResults) {
    const failed = assertionResults.find(({ status }) => status === 'failed');
    if (failed !== undefined) {
      const text = failed.failureMessages.join('\n');
      return { test: failed.fullName, text, exceededMs: isTimeOut(text) ? testTimeoutMs : undefined };
    }
    if (message !== '' && assertionResults.length === 0) throw new Error(`Tests could not be loaded: ${message}`);
  }
  return undefined;
}
