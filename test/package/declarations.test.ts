import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anywhere, disposing, onNode } from './declared-uses.ts';
import { installLocked } from './install-locked.ts';
import { type PackedPackage, packPackage, root, run } from './packed-package.ts';

// The declarations as users compile them: with the oldest TypeScript that is promised and newer ones, whatever they know of
// the platform, in each way to find a package that knows of `exports`.

const compilers = join(import.meta.dirname, 'compilers');
const modules = join(compilers, 'node_modules');
const workersTypes = '@cloudflare/workers-types';

/** The libraries that a program is compiled with, and the programs. */
const platforms = [
  { platform: 'dom', lib: ['es2022', 'dom'], types: [], files: ['anywhere.mts'] },
  { platform: 'dom and disposal', lib: ['es2022', 'dom', 'esnext.disposable'], types: [], files: ['disposing.mts'] },
  { platform: 'node', lib: ['es2022'], types: ['node'], files: ['anywhere.mts', 'disposing.mts', 'node.mts'] },
  { platform: 'workers', lib: ['es2022'], types: [workersTypes], files: ['anywhere.mts'] },
];
const programs = ['bundler', 'node16'].flatMap((moduleResolution) =>
  platforms.map(({ platform, ...program }) => ({
    name: `${moduleResolution}, ${platform}`,
    moduleResolution,
    ...program,
  })),
);

let packed: PackedPackage;

beforeAll(async () => {
  await installLocked(compilers);
  packed = await packPackage({ '@types/node': join(root, 'node_modules'), [workersTypes]: modules });
  await writeFile(join(packed.user, 'anywhere.mts'), anywhere);
  await writeFile(join(packed.user, 'disposing.mts'), disposing);
  await writeFile(join(packed.user, 'node.mts'), onNode);
}, 180_000);

afterAll(() => packed[Symbol.asyncDispose]());

describe('the declarations', () => {
  it.each(['5.2', '5.6', '5.9', '6.0'])(
    'compile with TypeScript %s',
    async (version) => {
      const list = join(packed.user, `programs-${version}.json`);
      await writeFile(list, JSON.stringify(programs));
      const compiler = join(modules, `typescript-${version}/lib/typescript.js`);
      const stdout = await run(process.execPath, [join(compilers, 'check.mjs'), compiler, list], packed.user);
      const results = JSON.parse(stdout) as readonly { name: string; ours: number; said: readonly string[] }[];
      expect(results.filter(({ said }) => said.length > 0)).toEqual([]);
      expect(results.map(({ name }) => name)).toEqual(programs.map(({ name }) => name));
      for (const { ours } of results) expect(ours).toBeGreaterThan(50);
    },
    120_000,
  );

  // Which has no interface for programs, and is fast enough to look at everything that they import.
  it('compile with the TypeScript of this project, which looks into everything', async () => {
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    for (const [nth, { name, files, types, lib, moduleResolution }] of programs.entries()) {
      const project = join(packed.user, `tsconfig.${nth}.json`);
      const module = moduleResolution === 'bundler' ? 'esnext' : moduleResolution;
      const compilerOptions = { target: 'es2022', strict: true, skipLibCheck: false, noEmit: true };
      const options = { ...compilerOptions, types, lib, module, moduleResolution };
      await writeFile(project, JSON.stringify({ compilerOptions: options, files }));
      const { stdout } = await promisify(execFile)(process.execPath, [tsc, '-p', project]).catch(
        (error: unknown) => error as { stdout: string },
      );
      expect(`${name}: ${stdout}`).toBe(`${name}: `);
    }
  }, 120_000);
});
