import { existsSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linksOf } from './links.ts';
import { NamedTypes } from './named-types.ts';
import { manifest, type PackedPackage, packPackage, papers, root, run } from './packed-package.ts';

const entries = Object.entries(manifest.exports)
  .filter(([path]) => path !== './package.json')
  .map(([path, target]) => ({
    path,
    name: path.replace('.', 'leasestream'),
    file: target.default,
    types: target.types,
  }));
const dependencies = Object.keys(manifest.dependencies);

/** What the entries may need beside the dependencies: everything else runs on any runtime. */
const needs: Readonly<Record<string, RegExp>> = {
  './broker': /^node:/,
  './node': /^node:/,
  './rxjs': /^rxjs(\/|$)/,
  './testing': /^node:/,
  './opentelemetry': /^@opentelemetry\/api$/,
  './diagnostics': /^node:/,
};

let packed: PackedPackage;

beforeAll(async () => {
  packed = await packPackage();
}, 60_000);

afterAll(() => packed[Symbol.asyncDispose]());

/** The packages that a module of `dist` imports statically, through all files. */
async function packagesOf(file: string, seen = new Set<string>()): Promise<readonly string[]> {
  if (seen.has(file)) return [];
  seen.add(file);
  const code = await readFile(join(packed.unpacked, file), 'utf8');
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
    const found = papers.filter((file) => existsSync(join(root, file)));
    expect(packed.files.filter((path) => !/^(?:dist|docs|src)\//.test(path)).toSorted()).toEqual(found);
    expect(packed.files).toContain('dist/index.js');
  });

  it('holds what its pages link to', () => {
    const pages = packed.files.filter((path) => path.endsWith('.md'));
    expect(pages.length).toBeGreaterThan(10);
    const links = pages.flatMap((page) =>
      linksOf(readFileSync(join(packed.unpacked, page), 'utf8')).map((link) =>
        join(dirname(page), link.split('#')[0] ?? ''),
      ),
    );
    expect(links.filter((link) => !existsSync(join(packed.unpacked, link)))).toEqual([]);
  });

  it.each(entries)('can be imported by plain Node: $name', async ({ name }) => {
    const script = join(packed.user, 'import.mjs');
    await writeFile(script, 'console.log(Object.keys(await import(process.argv[2])).length);');
    const stdout = await run(process.execPath, [script, name], packed.user);
    expect(Number(stdout)).toBeGreaterThan(0);
  });

  it.each(entries)('imports nothing but the dependencies and what the entry is for: $name', async ({ path, file }) => {
    const packages = await packagesOf(file);
    expect(packages.filter((name) => !dependencies.includes(name) && !needs[path]?.test(name))).toEqual([]);
  });

  it.each(entries)('names no type that can’t be imported, from it or from the main entry: $name', ({ types }) => {
    const named = new NamedTypes();
    const known = new Set(
      [types, './dist/index.d.ts'].flatMap((file) => [...named.exportsOf(join(packed.unpacked, file))]),
    );
    const reachable = [...named.reachableFrom(join(packed.unpacked, types))];
    expect(reachable.length).toBeGreaterThan(5);
    const hidden = reachable.filter((type) => !known.has(type)).map((type) => relative(packed.unpacked, type));
    expect(hidden).toEqual([]);
  });
});
