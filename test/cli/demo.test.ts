import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuiltPackage, buildPackage } from '../end-to-end/built-package.ts';

let built: BuiltPackage;
let directory: string;

beforeAll(async () => {
  built = await buildPackage();
  directory = await mkdtemp(join(tmpdir(), 'leasestream-demo-'));
}, 60_000);

afterAll(async () => {
  await built[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

interface Run {
  readonly code: number | null;
  readonly table: Readonly<Record<string, string>>;
  readonly out: string;
  readonly err: string;
}

async function demo(parameters: readonly string[], input = ''): Promise<Run> {
  const child = spawn(process.execPath, [built.module('cli/demo'), ...parameters]);
  const exited = once(child, 'exit') as Promise<[number | null]>;
  child.stdin.end(input);
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  const table = Object.fromEntries(
    [...out.matchAll(/^(\w+) +(.+)$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
  return { code, table, out, err };
}

describe('npm start', () => {
  it('pushes the sample, consumes it although some handlers fail, and shows its progress and a table', async () => {
    const { code, table, err } = await demo([]);
    expect({ code, table }).toMatchObject({ code: 0, table: { pushed: '1040', acked: '1040' } });
    expect(Number(table['retried'])).toBeGreaterThan(0);
    expect(Number(table['delivered'])).toBe(1_040 + Number(table['retried']));
    expect(Object.keys(table)).toEqual(['pushed', 'delivered', 'acked', 'retried', 'requests', 'elapsed']);
    expect(err.match(/handled \d+\/1040/g)?.length).toBeGreaterThan(5);
    expect(err).toContain('handled 1040/1040');
  });

  it('takes any JSON from standard input, with blank lines, CRLF and a byte order mark', async () => {
    const { code, table } = await demo(['-'], '\uFEFF{"a":1}\r\n"text"\r\n\r\n5\nnull\n["ü"]');
    expect({ code, table }).toMatchObject({ code: 0, table: { pushed: '5', acked: '5' } });
  });

  it('takes a file, also an empty one', async () => {
    const file = join(directory, 'empty.ndjson');
    await writeFile(file, '');
    expect(await demo([file])).toMatchObject({ code: 0, table: { pushed: '0', acked: '0' } });
  });

  it('names the line that is not JSON, and pushes nothing', async () => {
    const { code, out, err } = await demo(['-'], '{"a":1}\n\n{"b":\n{"c":3}\n');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^Line 3 is not JSON: .+\n$/);
  });

  it('says that a file is not there', async () => {
    const { code, err } = await demo([join(directory, 'absent.ndjson')]);
    expect(code).toBe(2);
    expect(err).toContain('absent.ndjson');
  });

  it('shows its usage, and with too many arguments fails', async () => {
    expect(await demo(['--help'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('Usage: npm start') as string,
    });
    expect((await demo(['a', 'b'])).code).toBe(2);
  });
});
