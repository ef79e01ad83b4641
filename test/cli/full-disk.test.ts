import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createCloudflareTransport } from '../../src/cloudflare.ts';
import type { KeyValueStore } from '../../src/broker/durability/key-value-store.ts';
import { runCli } from './run-cli.ts';

const disk = vi.hoisted(() => ({ isFull: false }));

vi.mock('../../src/broker/durability/level-store.ts', async (importActual) => {
  const actual = await importActual<{ openLevelStore: (directory: string) => Promise<KeyValueStore> }>();
  const openLevelStore = async (directory: string): Promise<KeyValueStore> => {
    const store = await actual.openLevelStore(directory);
    const full = new Error('IO error: No space left on device');
    return { ...store, write: (changes) => (disk.isFull ? Promise.reject(full) : store.write(changes)) };
  };
  return { ...actual, openLevelStore };
});

let directory: string;

beforeEach(async () => {
  disk.isFull = false;
  directory = await mkdtemp(join(tmpdir(), 'leasestream-full-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

/** Serves until `during` is over, which is told what to connect to. */
async function serve(during: (jobs: ReturnType<typeof createCloudflareTransport>) => Promise<void>) {
  const controller = new AbortController();
  let listening: (text: string) => void = () => undefined;
  const output = new Promise<string>((resolve) => (listening = resolve));
  const parameters = ['serve', '--port', '0', '--json', '--queue', 'jobs', '--data', directory];
  const ran = runCli(parameters, { signal: controller.signal, onOutput: listening });
  const { queues, ...connection } = JSON.parse(await output);
  await during(createCloudflareTransport({ ...connection, queueId: queues[0].id }));
  controller.abort();
  return ran;
}

describe('serve --data', () => {
  it('ends with 1 and a word when the disk was full', async () => {
    const ran = await serve(async (jobs) => {
      disk.isFull = true;
      await expect(jobs.push({ body: 1 })).rejects.toMatchObject({ status: 500 });
    });
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining('No space left on device')]);
    expect(ran.stderr).toContain(directory);
  });

  it('ends with 0 when it was not', async () => {
    const ran = await serve(async (jobs) => void (await jobs.push({ body: 1 })));
    expect(ran).toMatchObject({ code: 0, stderr: '' });
  });
});
