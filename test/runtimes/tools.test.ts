import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installLocked } from '../package/install-locked.ts';
import { type PackedPackage, packPackage, root, run } from '../package/packed-package.ts';
import { installRuntimes, nodeBinary } from './runtimes.ts';

// What loads the library in other ways than an import of Node's. docs/runtimes.md says what comes of each.

const tools = join(import.meta.dirname, 'tools');
const inTools = (path: string): string => join(tools, 'node_modules', path);
// It comes with vitest.
const vite = join(root, 'node_modules/vite/bin/vite.js');
const page = readFileSync(join(root, 'docs/runtimes.md'), 'utf8');

const work = `
  const queue = openQueue(createBroker().queue('jobs'));
  await queue.send('done');
  for await (const { body } of queue.consume({ stopWhenEmpty: true })) `;
const imported = `import { openQueue } from 'leasestream';\nimport { createBroker } from 'leasestream/broker';\n`;
const required = `const { openQueue } = require('leasestream');\nconst { createBroker } = require('leasestream/broker');\n`;
const files: Readonly<Record<string, string>> = {
  // Whose modules are CommonJS unless they say otherwise.
  'package.json': '{ "private": true, "type": "commonjs" }',
  'required.cjs': `${required}void (async () => {${work}console.log(body);\n})();`,
  'typed.ts': `${imported}void (async (): Promise<void> => {${work}console.log(body);\n})();`,
  'rendered.mjs': `${imported}${work}console.log(body);`,
  'required.test.cjs': `${required}test('works', async () => {${work}expect(body).toBe('done');\n});`,
  'imported.test.mjs': `${imported}test('works', async () => {${work}expect(body).toBe('done');\n});`,
  'jest.config.json':
    '{ "testMatch": ["**/*.test.*js"], "transform": {}, "moduleFileExtensions": ["js", "mjs", "cjs"] }',
};

let packed: PackedPackage;

beforeAll(async () => {
  await installRuntimes();
  await installLocked(tools);
  packed = await packPackage();
  for (const [name, text] of Object.entries(files)) await writeFile(join(packed.user, name), text);
}, 300_000);

afterAll(() => packed[Symbol.asyncDispose]());

async function printed(program: string, ...parameters: readonly string[]): Promise<string> {
  return (await run(program, parameters, packed.user)).trim();
}

/** Tells whether a test of jest passed, or why it did not. */
async function jest(version: number, test: string, ...parameters: readonly string[]): Promise<string> {
  const all = [...parameters, inTools('jest/bin/jest.js'), '--config', 'jest.config.json', test];
  const ran = await promisify(execFile)(nodeBinary(version), all, { cwd: packed.user }).catch(
    (error: unknown) => error,
  );
  const { stderr } = ran as { readonly stderr: string };
  return stderr.includes('1 passed, 1 total')
    ? 'done'
    : stderr.includes('Must use import to load ES Module')
      ? 'refused'
      : stderr;
}

/** Bundles for a server by Vite, and gives the file. */
async function bundle(folder: string, options: object): Promise<string> {
  const output = { entryFileNames: 'rendered.mjs' };
  const build = { ssr: 'rendered.mjs', outDir: folder, target: 'es2022', rollupOptions: { output } };
  const config = { logLevel: 'error', build, ...options };
  await writeFile(join(packed.user, `${folder}.mjs`), `export default ${JSON.stringify(config)};`);
  await printed(process.execPath, vite, 'build', '--config', `${folder}.mjs`);
  return join(packed.user, folder, 'rendered.mjs');
}

/** What no condition but that of Node brings in. */
const ofNode = /\bhttps?\.request\(/;

const ways: Readonly<Record<string, () => Promise<string>>> = {
  '`require()` on Node 20.19 and newer, 22, 24 and 26': async () => {
    const all = await Promise.all([20, 22, 24, 26].map((version) => printed(nodeBinary(version), 'required.cjs')));
    return [...new Set(all)].join();
  },
  'tsx, from CommonJS': () => printed(process.execPath, inTools('tsx/dist/cli.mjs'), 'typed.ts'),
  'jest, by `import` with `--experimental-vm-modules`': () =>
    jest(20, 'imported.test.mjs', '--experimental-vm-modules'),
  'jest, by `require()` on Node 26 with `--experimental-vm-modules`': () =>
    jest(26, 'required.test.cjs', '--experimental-vm-modules'),
  'jest, by `require()` otherwise': () => jest(22, 'required.test.cjs'),
  'Vite SSR': async () => printed(process.execPath, await bundle('external', {})),
  'Vite SSR with `noExternal`, which takes the client for Node': async () => {
    const file = await bundle('whole', { ssr: { noExternal: true } });
    expect(await readFile(file, 'utf8')).toMatch(ofNode);
    return printed(process.execPath, file);
  },
  'bundled with the condition `edge-light`, which takes `fetch`': async () => {
    const resolve = { conditions: ['edge-light', 'import'] };
    const file = await bundle('edge', { ssr: { noExternal: true, target: 'webworker', resolve } });
    expect(await readFile(file, 'utf8')).not.toMatch(ofNode);
    return printed(process.execPath, file);
  },
};

describe('the library is loaded', () => {
  it.each(Object.entries(ways))(
    'as docs/runtimes.md says by %s',
    async (way, load) => {
      const outcome = await load();
      const told = page.split('\n').find((line) => line.startsWith(`| ${way} `));
      expect(told?.split('|')[2]?.trim()).toMatch(outcome === 'done' ? /^works/ : /^Jest says `Must use import/);
      expect(outcome).toMatch(/^(done|refused)$/);
    },
    120_000,
  );
});
