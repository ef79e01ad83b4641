import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { buildPackage } from '../end-to-end/built-package.ts';

/** What the main entry may come to, in bytes: what it does come to, rounded up. Lower it with every saving. */
const mostBytes = 50_600;

// The bundler comes with vitest.
const rolldown = join(import.meta.dirname, '../../node_modules/rolldown/bin/cli.mjs');

/** What `leasestream/workers` may add to it. */
const mostBytesOfWorkers = 4_000;

/** Bundles entries, with what they share in files of its own, and gives the code of each file by its name. */
async function bundle(...entries: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
  await using built = await buildPackage();
  const directory = await mkdtemp(join(tmpdir(), 'leasestream-bundle-'));
  try {
    const inputs = entries.flatMap((entry) => ['--input', built.module(entry)]);
    const parameters = [...inputs, '--dir', directory, '--platform', 'browser', '--minify'];
    await promisify(execFile)(process.execPath, [rolldown, ...parameters]);
    const files = await readdir(directory);
    return new Map(
      await Promise.all(files.map(async (file) => [file, await readFile(join(directory, file))] as const)),
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function sizeOf(codes: Iterable<Buffer>): number {
  return [...codes].reduce((sum, code) => sum + gzipSync(code).length, 0);
}

describe('the main entry', () => {
  it('stays small when bundled with its dependencies, minified and compressed', async () => {
    const codes = await bundle('index');
    // What the wire on Node needs is not for browsers.
    expect([...codes.values()].join('')).not.toMatch(/node:|undici/);
    expect(sizeOf(codes.values())).toBeGreaterThan(1_000);
    expect(sizeOf(codes.values())).toBeLessThanOrEqual(mostBytes);
  }, 60_000);
});

describe('leasestream/workers', () => {
  it('adds little to what the main entry has', async () => {
    const codes = await bundle('index', 'workers');
    const own = [...codes].filter(([file]) => file.startsWith('workers')).map(([, code]) => code);
    expect(own).toHaveLength(1);
    expect(sizeOf(own)).toBeGreaterThan(500);
    expect(sizeOf(own)).toBeLessThanOrEqual(mostBytesOfWorkers);
  }, 60_000);
});
