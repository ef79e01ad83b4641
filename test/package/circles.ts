import { posix } from 'node:path';

/** A file of source code, by its path from the root of the sources. */
export interface SourceFile {
  readonly file: string;
  readonly code: string;
}

// What a specifier is that conditions choose.
const conditional: Readonly<Record<string, readonly string[]>> = {
  '#wire': ['deno', 'fetch', 'node'].map((name) => `transports/cloudflare/${name}-wire.ts`),
};

/**
 * Finds files that import each other in a circle: of values or types, at once, late (`import()`) or by a condition.
 *
 * @returns of each circle its files in order, as `a.ts → b.ts → a.ts`
 */
export function circlesOf(sources: readonly SourceFile[]): readonly string[] {
  const imports = new Map(sources.map(({ file, code }) => [slashed(file), importsOf(slashed(file), code)]));
  const cleared = new Set<string>();
  const circles: string[] = [];
  const follow = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0) circles.push([...path.slice(start), file].join(' → '));
    if (start >= 0 || cleared.has(file)) return;
    for (const next of imports.get(file) ?? []) follow(next, [...path, file]);
    cleared.add(file);
  };
  for (const file of imports.keys()) follow(file, []);
  return circles;
}

function importsOf(file: string, code: string): readonly string[] {
  const bare = code.replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '');
  const specifiers = [...bare.matchAll(/\b(?:from|import)\s*\(?\s*'([.#][^']*)'/g)].map(
    ([, specifier = '']) => specifier,
  );
  return specifiers.flatMap((specifier) => conditional[specifier] ?? [posix.join(posix.dirname(file), specifier)]);
}

function slashed(file: string): string {
  return file.replaceAll('\\', '/');
}
