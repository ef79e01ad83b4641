import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LeasedMessage } from '../../src/index.ts';
import { openTwoQueues } from './two-queues.ts';

type Generate = (...queues: readonly AsyncIterable<LeasedMessage>[]) => AsyncIterable<LeasedMessage>;

const source = `
export async function* delegating(first: AsyncIterable<unknown>, second: AsyncIterable<unknown>) {
  yield* first;
  yield* second;
}
export async function* looping(first: AsyncIterable<unknown>, second: AsyncIterable<unknown>) {
  for await (const message of first) yield message;
  for await (const message of second) yield message;
}`;

const tsc = join(import.meta.dirname, '../../node_modules/typescript/bin/tsc');
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leasestream-generators-'));
  await writeFile(join(directory, 'generators.mts'), source);
});

afterAll(() => rm(directory, { recursive: true, force: true }));

/** How many messages of the second queue are taken when a loop over both is left at the first message of the first. */
async function takenAfterBreak(target: string, name: string): Promise<number> {
  const parameters = ['--target', target, '--lib', 'esnext', '--module', 'nodenext', '--skipLibCheck'];
  const outDir = join(directory, target);
  const compile = [tsc, ...parameters, '--outDir', outDir, 'generators.mts'];
  // There, as it refuses files beside a tsconfig.json.
  await promisify(execFile)(process.execPath, compile, { cwd: directory });
  const compiled = (await import(pathToFileURL(join(outDir, 'generators.mjs')).href)) as Record<string, Generate>;
  const queues = openTwoQueues();
  queues.fill(1);
  queues.broker.push('out', { body: 0 });
  const [first, second] = [queues.jobs.consume(), queues.out.consume({ stopWhenEmpty: true })];
  const read = async (): Promise<void> => {
    for await (const _ of compiled[name]?.(first, second) ?? []) break;
    await Promise.all([first.close({ graceMs: 0 }), second.close({ graceMs: 0 })]);
  };
  await queues.run(read());
  return queues.entries('delivered', 'out').length;
}

describe('a generator that TypeScript has compiled', { timeout: 60_000 }, () => {
  it.each([
    ['es2018', 'delegating', 0],
    ['es2018', 'looping', 0],
    ['es2017', 'looping', 0],
    // It runs on after its yield*, and takes a message that nobody gets.
    ['es2017', 'delegating', 1],
  ])('for %s, %s, takes this many messages after it was left: %d', async (target, name, taken) => {
    expect(await takenAfterBreak(target, name)).toBe(taken);
  });
});
