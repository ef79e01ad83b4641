import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuiltPackage, buildPackage } from '../end-to-end/built-package.ts';
import { installOthers, newerNode } from './install-others.ts';

let built: BuiltPackage;

beforeAll(async () => {
  await installOthers();
  built = await buildPackage();
}, 600_000);

afterAll(() => built[Symbol.asyncDispose]());

const taken = { acked: 1, reason: 'empty' };
const refused = { code: 'unauthorized', status: 403, isSoon: true };
// Its body has been read, and the library never reads one that somebody else had.
const unread = { code: 'transport-failed', status: 200, isSoon: true };

/** The clients, and what becomes of a success, as docs/custom-fetch.md says. */
const page = readFileSync(join(import.meta.dirname, '../../docs/custom-fetch.md'), 'utf8');
const rows = (page.split('| made of ')[1] ?? '')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| -'));
const clients = rows.map((line) => line.split('|').map((cell) => cell.trim())).filter(([, first]) => first !== '');

describe('a fetch', { timeout: 60_000 }, () => {
  it.each(clients)('may be made of %s%s', async (_, client = '', success = '') => {
    const script = join(import.meta.dirname, 'custom-fetch.mjs');
    const parameters = [script, built.module('index'), built.module('broker'), client];
    const { stdout } = await promisify(execFile)(newerNode, parameters);
    expect(JSON.parse(stdout)).toEqual({ granted: success === 'taken' ? taken : unread, refused });
  });

  it('is told of ten clients at least', () => {
    expect(clients.length).toBeGreaterThanOrEqual(10);
  });
});
