import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBroker, ManualClock, openBroker } from '../../src/broker.ts';
import { runCli } from '../cli/run-cli.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leasestream-names-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

// As JavaScript has them, or a file.
const anyOptions = (options: unknown): never => options as never;

const wrong: readonly (readonly [options: object, named: string, allowed: string])[] = [
  [{ queue: { jobs: {} } }, "no option named 'queue'", 'queues'],
  [{ jsonBody: 'base64' }, "no option named 'jsonBody'", 'jsonBodies'],
  [{ token: undefined }, "no option named 'token'", 'apiToken'],
  [{ queues: { jobs: { maxRetry: 1 } } }, "no setting named 'maxRetry'", 'maxRetries'],
  [{ queues: { jobs: { max_retries: 1 } } }, "configure queue 'jobs'", 'maxRetries'],
  [{ faults: { fail: 1 } }, "no fault named 'fail'", 'failBefore'],
  [{ requestLimit: { requests: 1, perMs: 1, block: 1 } }, "no option named 'requestLimit.block'", 'blockMs'],
];

describe('createBroker()', () => {
  it.each(wrong)('refuses %j, by the name and with what there is', (options, named, allowed) => {
    for (const text of [named, allowed]) {
      expect(() => createBroker(anyOptions(options))).toThrow(TypeError);
      expect(() => createBroker(anyOptions(options))).toThrow(text);
    }
  });

  it.each([
    null,
    1,
    'jobs',
    { queues: ['jobs'] },
    { queues: 'jobs' },
    { queues: { jobs: null } },
    { queues: { jobs: 1 } },
    { faults: null },
    { requestLimit: 5 },
  ])('refuses %j, which is no object where there must be one', (options) => {
    expect(() => createBroker(anyOptions(options))).toThrow(TypeError);
    expect(() => createBroker(anyOptions(options))).toThrow('an object');
  });

  it('takes every option that there is, and undefined for each', () => {
    const clock = new ManualClock();
    const broker = createBroker({
      clock,
      queues: { jobs: { maxRetries: 1, deadLetterQueue: null } },
      faults: { seed: 1 },
    });
    expect(broker.queueNames()).toEqual(['jobs']);
    expect(() =>
      createBroker(anyOptions({ accountId: undefined, queues: undefined, faults: undefined })),
    ).not.toThrow();
  });
});

describe('openBroker()', () => {
  it.each(wrong)('refuses %j', async (options, named, allowed) => {
    const opening = openBroker(anyOptions({ directory, ...options }));
    await expect(opening).rejects.toThrow(TypeError);
    await expect(openBroker(anyOptions({ directory, ...options }))).rejects.toThrow(named);
    await expect(openBroker(anyOptions({ directory, ...options }))).rejects.toThrow(allowed);
  });

  it('says that there is an option directory, and what is no object', async () => {
    await expect(openBroker(anyOptions({ dir: directory }))).rejects.toThrow(/'dir'.*directory/);
    await expect(openBroker(anyOptions(undefined))).rejects.toThrow("'options' must be an object");
  });
});

describe('what takes options afterwards', () => {
  it.each([
    ['queue()', () => createBroker().queue('jobs', anyOptions({ retries: 1 })), "'retries'"],
    ['setFaults()', () => createBroker().setFaults(anyOptions({ latency: 1 })), "'latency'"],
    ['setFaults() of null', () => createBroker().setFaults(anyOptions(null)), 'an object'],
    ['ManualClock', () => new ManualClock(anyOptions({ start: 1 })), "'start'"],
  ])('refuses unknown names: %s', (_, call, named) => {
    expect(call).toThrow(TypeError);
    expect(call).toThrow(named);
  });

  it('refuses unknown names: listen(), runUntil()', async () => {
    await expect(createBroker().listen(anyOptions({ hostname: 'localhost' }))).rejects.toThrow("'hostname'");
    const clock = new ManualClock();
    await expect(clock.runUntil(Promise.resolve(), anyOptions({ within: 1 }))).rejects.toThrow("'within'");
  });
});

describe('serve', () => {
  const inFiles = wrong.map(([options]) => JSON.stringify(options)).filter((text) => text !== '{}');

  it.each([...inFiles, '{"queues":{"jobs":5}}'])('exits with 2 for a file with %s', async (text) => {
    const path = join(directory, 'serve.json');
    await writeFile(path, text);
    expect((await runCli(['serve', '--port', '0', '--config', path])).code).toBe(2);
  });

  it.each(['fail=1', 'latency=1'])('exits with 2 for --fault %s', async (pair) => {
    const ran = await runCli(['serve', '--port', '0', '--fault', pair]);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('failBefore')]);
  });
});
