import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuiltPackage, buildPackage } from '../end-to-end/built-package.ts';

const run = promisify(execFile);

// The bundler comes with vitest.
const rolldown = join(import.meta.dirname, '../../node_modules/rolldown/bin/cli.mjs');

let built: BuiltPackage;

beforeAll(async () => {
  built = await buildPackage();
}, 60_000);

afterAll(() => built[Symbol.asyncDispose]());

describe('the library', () => {
  it.each([
    ['index', 'openQueue'],
    ['broker', 'ManualClock'],
    ['cloudflare', 'createCloudflareTransport'],
    ['web', 'toReadableStream'],
    ['rxjs', 'settleMap'],
  ])('is loaded where nothing but the language is there: %s', async (entry, name) => {
    const directory = built.module(`bundle-${entry}`);
    const parts = [
      '--dir',
      directory,
      '--entry-file-names',
      'entry.mjs',
      '--external',
      'node:.*',
      '--external',
      'classic-level',
    ];
    await run(process.execPath, [rolldown, '--input', built.module(entry), ...parts]);
    // In a context that has the language alone.
    const source = `
      import { readFileSync } from 'node:fs';
      import { createContext, SourceTextModule, SyntheticModule } from 'node:vm';
      const context = createContext({});
      const modules = new Map();
      const load = (name) => {
        const code = readFileSync(${JSON.stringify(`${directory}/`)} + name, 'utf8');
        if (!modules.has(name)) modules.set(name, new SourceTextModule(code, { context }));
        return modules.get(name);
      };
      const entry = load('entry.mjs');
      await entry.link((name) => name.startsWith('.') ? load(name) : new SyntheticModule([], () => undefined, { context }));
      await entry.evaluate();
      console.log(Object.keys(entry.namespace).join(' '));`;
    const parameters = ['--experimental-vm-modules', '--no-warnings', '--input-type=module', '--eval', source];
    const { stdout } = await run(process.execPath, parameters);
    expect(stdout).toContain(name);
  });
});
