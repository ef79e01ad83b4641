import { execFile } from 'node:child_process';
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

describe('a fetch', { timeout: 60_000 }, () => {
  it.each([
    ['ky', taken],
    ['ky, which does not throw', taken],
    ['got', taken],
    ['ofetch.raw', unread],
    ['ofetch.raw of a stream', taken],
    ['axios', taken],
    ["axios' fetch adapter", taken],
    ['node-fetch', taken],
    ['undici', taken],
    ['undici.request', taken],
    ['msw', taken],
    ['nock', taken],
    ['a stub', taken],
    ["a Worker's service binding", taken],
  ])('may be made of %s', async (client, granted) => {
    const script = join(import.meta.dirname, 'custom-fetch.mjs');
    const { stdout } = await promisify(execFile)(newerNode, [
      script,
      built.module('index'),
      built.module('broker'),
      client,
    ]);
    expect(JSON.parse(stdout)).toEqual({ granted, refused });
  });
});
