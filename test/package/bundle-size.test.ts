import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { buildPackage } from '../end-to-end/built-package.ts';

/** What the main entry may come to, in bytes: what it does come to, rounded up. Lower it with every saving. */
const mostBytes = 48_500;

// The bundler comes with vitest.
const rolldown = join(import.meta.dirname, '../../node_modules/rolldown/bin/cli.mjs');

describe('the main entry', () => {
  it('stays small when bundled with its dependencies, minified and compressed', async () => {
    await using built = await buildPackage();
    const directory = await mkdtemp(join(tmpdir(), 'leasestream-bundle-'));
    try {
      const parameters = ['--input', built.module('index'), '--dir', directory, '--platform', 'browser', '--minify'];
      await promisify(execFile)(process.execPath, [rolldown, ...parameters]);
      const files = await readdir(directory);
      const codes = await Promise.all(files.map((file) => readFile(join(directory, file))));
      const bytes = codes.reduce((sum, code) => sum + gzipSync(code).length, 0);
      // What the wire on Node needs is not for browsers.
      expect(codes.join('')).not.toMatch(/node:|undici/);
      expect(bytes).toBeGreaterThan(1_000);
      expect(bytes).toBeLessThanOrEqual(mostBytes);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }, 60_000);
});
