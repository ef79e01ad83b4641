import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { circlesOf } from './circles.ts';

// What the linter has no rule for.

const source = join(import.meta.dirname, '../../src');

function withoutComments(code: string): string {
  return code.replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '');
}

/** What an entry file holds beside `export … from '…';`. */
function besideReexports(code: string): string {
  return withoutComments(code)
    .replaceAll(/export (?:type )?(?:\*(?: as \w+)?|\{[^{}]*\}) from '[^']+';/g, '')
    .trim();
}

/** Reads of the machine's time that `no-restricted-properties` can't see. */
function machineTime(code: string): readonly string[] {
  return withoutComments(code).match(/\bnew Date\b(?!\s*\(\s*[^\s)])|(?<!new |\w)Date\(|\bDate\s*\[|=\s*Date\b/g) ?? [];
}

async function sources(name = /\.ts$/): Promise<readonly { file: string; code: string }[]> {
  const files = await readdir(source, { recursive: true });
  const modules = files.filter((file) => name.test(file));
  return Promise.all(modules.map(async (file) => ({ file, code: await readFile(join(source, file), 'utf8') })));
}

/** The most lines of a file that does one thing. */
const mostLines = 250;

function lineCount(code: string): number {
  return code.split('\n').length - 1;
}

describe('an entry file', () => {
  it('holds nothing but re-exports', async () => {
    const entries = (await sources()).filter(({ file }) => !/[\\/]/.test(file));
    expect(entries).not.toEqual([]);
    expect(entries.filter(({ code }) => besideReexports(code) !== '').map(({ file }) => file)).toEqual([]);
  });

  it.each(['import "./a.ts";', "export const a = 1;\nexport * from './a.ts';", 'export function a() {}'])(
    'is refused with %j',
    (code) => expect(besideReexports(code)).not.toBe(''),
  );

  it('may re-export in every form', () => {
    const code = `/** A. */\n// b\nexport {\n  a,\n  type B,\n} from './a.ts';\nexport * from 'b';\nexport type { C } from 'c';`;
    expect(besideReexports(code)).toBe('');
  });
});

describe('the time of the machine', () => {
  it('is read by nothing but the system clock', async () => {
    const readers = (await sources()).filter(({ code }) => machineTime(code).length > 0);
    expect(readers.map(({ file }) => file)).toEqual([]);
  });

  it.each(['new Date()', 'new Date( )', 'new Date;', 'Date()', "Date['now']()", 'const now = Date;'])(
    'is seen in %j',
    (code) => expect(machineTime(code)).toHaveLength(1),
  );

  it.each(['new Date(ms)', 'new Date(\n  ms,\n)', 'timestamp: Date;', '/** new Date() */', 'toDate()'])(
    'is not seen in %j',
    (code) => expect(machineTime(code)).toEqual([]),
  );
});

describe('the files of src/', () => {
  it(`have at most ${mostLines} lines`, async () => {
    const long = (await sources(/\.(?:ts|js|css|html)$/)).filter(({ code }) => lineCount(code) > mostLines);
    expect(long.map(({ file }) => file)).toEqual([]);
  });

  it('import each other in no circle, types and what is imported late included', async () => {
    const circles = circlesOf(await sources());
    expect(circles).toEqual([]);
  });

  it.each([
    "import { a } from './b/b.ts';",
    "import type { A } from './b/b.ts';",
    "export type { A } from './b/b.ts';",
    "export const a = () => import('./b/b.ts');",
    "export type A = import('./b/b.ts').A;",
    "import './b/b.ts';",
  ])('are seen in a circle by %j', (code) => {
    const back = { file: 'b/b.ts', code: "import {\n  c,\n} from '../c.ts';" };
    const files = [{ file: 'a.ts', code }, back, { file: 'c.ts', code: "export type * from './a.ts';" }];
    expect(circlesOf(files)).toEqual(['a.ts → b/b.ts → c.ts → a.ts']);
    expect(circlesOf(files.slice(0, 2))).toEqual([]);
  });

  it('are seen in a circle by what conditions choose', () => {
    const [options, wire] = ['transports/cloudflare/options.ts', 'transports/cloudflare/deno-wire.ts'];
    const files = [
      { file: options, code: "import { wire } from '#wire';" },
      { file: wire, code: "import { a } from './options.ts';" },
    ];
    expect(circlesOf(files)).toEqual([`${options} → ${wire} → ${options}`]);
  });
});
