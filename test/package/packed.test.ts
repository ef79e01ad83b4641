import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NamedTypes } from './named-types.ts';

// The package as a user gets it: built and packed from a copy of the tree, unpacked, imported by plain Node.

const root = join(import.meta.dirname, '../..');
const sources = ['src', 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'README.md', 'LICENSE'];
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, Readonly<Record<string, string>>>>;
};
const entries = Object.entries(manifest.exports)
  .filter(([path]) => path !== './package.json')
  .map(([path, target]) => ({
    path,
    name: path.replace('.', 'leasestream'),
    file: target.default,
    types: target.types,
  }));
const dependencies = Object.keys(manifest.dependencies);
const peers = Object.keys(manifest.peerDependencies ?? {});

/** What the entries may need beside the dependencies: everything else runs on any runtime. */
const needs: Readonly<Record<string, RegExp>> = {
  './broker': /^node:/,
  './node': /^node:/,
  './rxjs': /^rxjs(\/|$)/,
  './opentelemetry': /^@opentelemetry\/api$/,
  './diagnostics': /^node:/,
};

let directory: string;
let unpacked: string;
let packed: readonly string[];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leasestream-packed-'));
  const tree = join(directory, 'tree');
  const user = join(directory, 'user/node_modules');
  await Promise.all([mkdir(tree), mkdir(user, { recursive: true })]);
  for (const source of sources) {
    if (existsSync(join(root, source))) await cp(join(root, source), join(tree, source), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(tree, 'node_modules'), 'junction');
  await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], tree);
  const stdout = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', directory], tree);
  const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  packed = files.map(({ path }) => path);
  await run('tar', ['-xzf', join(directory, filename), '-C', directory]);
  unpacked = join(user, 'leasestream');
  await cp(join(directory, 'package'), unpacked, { recursive: true });
  for (const name of [...dependencies, ...peers]) {
    await mkdir(dirname(join(user, name)), { recursive: true });
    await symlink(join(root, 'node_modules', name), join(user, name), 'junction');
  }
}, 60_000);

afterAll(() => rm(directory, { recursive: true, force: true }));

/** Runs a program, and throws what it printed when it fails. */
async function run(program: string, parameters: readonly string[], cwd = directory): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, [...parameters], { cwd });
    return stdout;
  } catch (error) {
    const { message, stdout } = error as Error & { stdout: string };
    throw new Error(`${message}\n${stdout}`, { cause: error });
  }
}

/** The packages that a module of `dist` imports statically, through all files. */
async function packagesOf(file: string, seen = new Set<string>()): Promise<readonly string[]> {
  if (seen.has(file)) return [];
  seen.add(file);
  const code = await readFile(join(unpacked, file), 'utf8');
  const imported = code.matchAll(/^(?:import|export)\b(?:[^'"]*?\bfrom\s*)?\s*['"]([^'"]+)['"]/gm);
  const specifiers = [...imported].map(([, specifier]) => specifier!);
  // What is chosen by conditions, as it is where there is nothing but the standard.
  const files = specifiers.flatMap((specifier) => {
    if (specifier.startsWith('#')) return [manifest.imports[specifier]!['default']!];
    return specifier.startsWith('.') ? [join(dirname(file), specifier)] : [];
  });
  const deeper = await Promise.all(files.map((path) => packagesOf(path, seen)));
  return [...specifiers.filter((specifier) => !/^[.#]/.test(specifier)), ...deeper.flat()];
}

describe('the packed package', () => {
  it('holds what was built, its sources and the papers, and nothing else', () => {
    const papers = ['LICENSE', 'README.md', 'package.json'].filter((file) => existsSync(join(root, file)));
    expect(packed.filter((path) => !/^(?:dist|src)\//.test(path)).toSorted()).toEqual(papers);
    expect(packed).toContain('dist/index.js');
  });

  it.each(entries)('can be imported by plain Node: $name', async ({ name }) => {
    const script = join(directory, 'user/import.mjs');
    await writeFile(script, 'console.log(Object.keys(await import(process.argv[2])).length);');
    const stdout = await run(process.execPath, [script, name]);
    expect(Number(stdout)).toBeGreaterThan(0);
  });

  it.each(entries)('imports nothing but the dependencies and what the entry is for: $name', async ({ path, file }) => {
    const packages = await packagesOf(file);
    expect(packages.filter((name) => !dependencies.includes(name) && !needs[path]?.test(name))).toEqual([]);
  });

  it.each(entries)('names no type that can’t be imported, from it or from the main entry: $name', ({ types }) => {
    const named = new NamedTypes();
    const known = new Set([types, './dist/index.d.ts'].flatMap((file) => [...named.exportsOf(join(unpacked, file))]));
    const reachable = [...named.reachableFrom(join(unpacked, types))];
    expect(reachable.length).toBeGreaterThan(5);
    const hidden = reachable.filter((type) => !known.has(type)).map((type) => relative(unpacked, type));
    expect(hidden).toEqual([]);
  });
});
