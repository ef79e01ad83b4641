import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuiltPackage, buildPackage } from '../end-to-end/built-package.ts';
import { installOthers, newerNode } from './install-others.ts';

const packages = join(import.meta.dirname, 'packages');
const jest = ['node_modules/jest/bin/jest.js', '--rootDir', 'runners', '--config', 'runners/jest.config.mjs'];

/** How each runner is started, by its name in docs/fake-timers.md. */
const runners = {
  'vitest 5': ['node_modules/vitest/vitest.mjs', 'run', '--root', 'runners'],
  'jest 30': jest,
  'jest 30, jsdom': jest,
  '`node:test`': ['--test', 'runners/node.test.mjs'],
};

let built: BuiltPackage;

beforeAll(async () => {
  await installOthers();
  built = await buildPackage();
}, 600_000);

afterAll(() => built[Symbol.asyncDispose]());

/** What the documentation says that a runner fakes, of what the library takes. */
function fakedBy(runner: string): string {
  const lines = readFileSync(join(import.meta.dirname, '../../docs/fake-timers.md'), 'utf8').split('\n');
  const row = lines.map((line) => line.split('|').map((cell) => cell.trim())).find(([, first]) => first === runner);
  return row?.[2]?.replaceAll('`', '') ?? 'no such row';
}

describe('the fake timers of a runner', { timeout: 120_000 }, () => {
  it.each(Object.entries(runners))(
    'leave a manual clock to go on, and move the real client: %s',
    async (runner, args) => {
      const env = {
        PATH: process.env['PATH'],
        NODE_OPTIONS: runner.startsWith('jest') ? '--experimental-vm-modules' : '',
        ENVIRONMENT: runner.endsWith('jsdom') ? 'jsdom' : 'node',
        LIBRARY: built.module('index'),
        BROKER: built.module('broker'),
        FAKED: fakedBy(runner),
      };
      // Rejects with what it printed when one of its tests fails.
      const { stdout, stderr } = await promisify(execFile)(newerNode, args, { cwd: packages, env });
      expect(stdout + stderr).toMatch(/4 passed|pass 4/);
    },
  );
});
