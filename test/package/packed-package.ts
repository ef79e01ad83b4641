import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

export const root: string = join(import.meta.dirname, '../..');

interface Manifest {
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string }>>;
  readonly imports: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export const manifest: Manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;

/** What is shipped beside the code, as far as it is there. */
export const papers: readonly string[] = [
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'LICENSE',
  'README.md',
  'SECURITY.md',
  'package.json',
];
const sources = ['src', 'docs', 'tsconfig.json', 'tsconfig.build.json', ...papers];

/** The package as a user gets it: built and packed from a copy of the tree, and unpacked. */
export interface PackedPackage extends AsyncDisposable {
  /** Where everything is. */
  readonly directory: string;
  /** The folder of somebody who has installed it. */
  readonly user: string;
  /** Where it is unpacked, within the user's `node_modules`. */
  readonly unpacked: string;
  /** The paths of the files in it. */
  readonly files: readonly string[];
}

/**
 * Packs the library, and installs it with its dependencies and peers.
 *
 * @param others - what the user has beside it: the packages' names, and the `node_modules` that have them
 */
export async function packPackage(others: Readonly<Record<string, string>> = {}): Promise<PackedPackage> {
  const directory = await mkdtemp(join(tmpdir(), 'leasestream-packed-'));
  const tree = join(directory, 'tree');
  const user = join(directory, 'user');
  const modules = join(user, 'node_modules');
  await Promise.all([mkdir(tree), mkdir(modules, { recursive: true })]);
  for (const source of sources) {
    if (existsSync(join(root, source))) await cp(join(root, source), join(tree, source), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(tree, 'node_modules'), 'junction');
  await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], tree);
  const stdout = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', directory], tree);
  const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  await run('tar', ['-xzf', join(directory, filename), '-C', directory], directory);
  const unpacked = join(modules, 'leasestream');
  await cp(join(directory, 'package'), unpacked, { recursive: true });
  const { dependencies, peerDependencies } = manifest;
  const own = Object.keys({ ...dependencies, ...peerDependencies });
  const places = new Map([
    ...own.map((name) => [name, join(root, 'node_modules')] as const),
    ...Object.entries(others),
  ]);
  for (const [name, place] of places) {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(join(place, name), join(modules, name), 'junction');
  }
  const dispose = (): Promise<void> => rm(directory, { recursive: true, force: true });
  return { directory, user, unpacked, files: files.map(({ path }) => path), [Symbol.asyncDispose]: dispose };
}

/** Runs a program, and throws what it printed when it fails. */
export async function run(program: string, parameters: readonly string[], cwd: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, [...parameters], { cwd, maxBuffer: 64 << 20 });
    return stdout;
  } catch (error) {
    const { message, stdout } = error as Error & { stdout: string };
    throw new Error(`${message}\n${stdout}`, { cause: error });
  }
}
