import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '../..');

/** The library as JavaScript, for tests that run it in a process of their own. */
export interface BuiltPackage extends AsyncDisposable {
  /** The path of a built module, given as in src/ without its ending. */
  module(name: string): string;
}

/** Builds the library into a folder within the project, where its dependencies are found. */
export async function buildPackage(): Promise<BuiltPackage> {
  const directory = await mkdtemp(join(root, '.tmp-built-'));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const dist = join(directory, 'dist');
  await promisify(execFile)(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', dist], { cwd: root });
  // As the package is laid out: its manifest says what the modules are that it names by conditions.
  await cp(join(root, 'package.json'), join(directory, 'package.json'));
  await symlink(join(root, 'src'), join(directory, 'src'), 'junction');
  return {
    module: (name) => join(dist, `${name}.js`),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
