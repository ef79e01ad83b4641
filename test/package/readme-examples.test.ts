import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runExample } from './example-setting.ts';
import { docstringExamples, examplesIn, readExamples } from './examples.ts';

const root = join(import.meta.dirname, '../..');
const examples = (await readExamples()).map((example, index) => ({ ...example, file: `example-${index}.ts` }));
const runnable = examples.filter(({ notRun }) => notRun === undefined);

// Within the project, so that packages are found; `leasestream` is its source, as in vitest.config.ts.
const tsconfig = {
  extends: '../tsconfig.json',
  compilerOptions: {
    rootDir: '..',
    paths: {
      '#wire': ['../src/transports/cloudflare/fetch-wire.ts'],
      leasestream: ['../src/index.ts'],
      'leasestream/*': ['../src/*.ts'],
    },
    noUnusedLocals: false,
    noUnusedParameters: false,
    noPropertyAccessFromIndexSignature: false,
  },
  include: ['*.ts', '../test/package/*.d.ts'],
};

let directory: string;
let complaints: readonly string[];

beforeAll(async () => {
  directory = await mkdtemp(join(root, '.tmp-examples-'));
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(tsconfig));
  await Promise.all(examples.map(({ file, code }) => writeFile(join(directory, file), code)));
  complaints = await check();
}, 60_000);

afterAll(() => rm(directory, { recursive: true, force: true }));

/** What the compiler says, a line each. */
async function check(): Promise<readonly string[]> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, [tsc, '--pretty', 'false', '-p', '.'], { cwd: directory }, (_error, stdout) =>
      resolve(stdout),
    );
  });
  return output.split('\n').filter((line) => line !== '');
}

describe('the examples of the pages and of the docstrings', () => {
  it('are found', () => {
    expect(examples.some(({ name }) => name.startsWith('README.md'))).toBe(existsSync(join(root, 'README.md')));
  });

  it('type-check, with all that they import', () => {
    const named = examples.reduce(
      (lines, { file, name }) => lines.map((line) => line.replace(`${file}(`, `${name} (`)),
      complaints,
    );
    expect(named).toEqual([]);
  });

  it.each(runnable)(
    'run: $name',
    async ({ file, code }) => {
      const { tunnels } = await runExample(() => import(/* @vite-ignore */ join(directory, file)));
      expect(tunnels > 0).toBe(code.includes('ProxyAgent'));
    },
    15_000,
  );
});

describe('examplesIn()', () => {
  it('finds each block of ts, and why it is not run', () => {
    const markdown = 'a\n```ts\nb;\n```\n\n<!-- example: needs an account -->\n\n```ts\nc;\n```\n```sh\nd\n```\n';
    expect(examplesIn(markdown, 'a.md')).toEqual([
      { name: 'a.md:2', code: 'b;\n' },
      { name: 'a.md:6', code: 'c;\n', notRun: 'needs an account' },
    ]);
  });

  it('passes over no language that it does not know', () => {
    expect(() => examplesIn('```typescript\na;\n```', 'a.md')).toThrow('a.md:1: its language must be one of');
  });
});

describe('docstringExamples()', () => {
  it('finds the block of an @example', () => {
    const code = '/**\n * A.\n *\n * @example\n * ```ts\n * a({\n *   b,\n * });\n * ```\n */';
    expect(docstringExamples(code, 'a.ts')).toEqual([{ name: 'a.ts:5', code: 'a({\n  b,\n});\n' }]);
  });

  it('refuses an @example without one', () => {
    expect(() => docstringExamples('/** @example a() */', 'a.ts')).toThrow('an @example has no block of ts');
  });
});
