import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

interface LockedPackage {
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const root = join(import.meta.dirname, '../..');

function lockFilesIn(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : lockFilesIn(path);
    return entry.name === 'package-lock.json' ? [path] : [];
  });
}

describe.each(['package-lock.json', ...lockFilesIn('test')])('%s', (path) => {
  const { packages } = JSON.parse(readFileSync(join(root, path), 'utf8')) as {
    packages: Readonly<Record<string, LockedPackage>>;
  };

  it('names no registry', () => {
    expect(Object.values(packages).filter(({ resolved }) => resolved !== undefined)).toEqual([]);
  });

  // Where a registry lacks the binary of another platform, `npm install` leaves it out, and `npm ci` then refuses.
  it('holds the binaries of every platform', () => {
    const locked = new Set(Object.keys(packages).map((place) => place.slice(place.lastIndexOf('node_modules/') + 13)));
    const optional = Object.values(packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}));
    expect(optional.filter((name) => !locked.has(name))).toEqual([]);
  });
});
