import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Broker, type BrokerServer, createBroker } from '../../src/broker.ts';
import { BuiltCli } from './built-cli.ts';
import { environmentOf, type Ran, runCli, type RunSettings } from './run-cli.ts';

let broker: Broker;
let server: BrokerServer;
let directory: string;
let onPush: () => unknown;

beforeEach(async () => {
  broker = createBroker({ queues: { jobs: {} } });
  onPush = () => undefined;
  server = await broker.listen({
    intercept: async (request, next) => {
      if (/messages(\/batch)?$/.test(request.url)) await onPush();
      return next(request);
    },
  });
  directory = await mkdtemp(join(tmpdir(), 'leasestream-push-'));
});

afterEach(async () => {
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

const run = (line: string, settings: RunSettings = {}): Promise<Ran> =>
  runCli(line.split(' '), { environment: environmentOf(server), ...settings });
const bodies = (): unknown[] => broker.inspect('jobs').messages.map(({ body }) => body);
const pathOf = (name = 'in.ndjson'): string => join(directory, name);
const exec = promisify(execFile);

describe('push of what can be read only once', () => {
  it('pushes what comes through a pipe with a name', async () => {
    const path = pathOf('pipe');
    await exec('mkfifo', [path]);
    const running = run(`push jobs ${path}`);
    // Once: a second reader would wait for a second writer, or find nothing.
    await writeFile(path, '1\n2\n3\n');
    expect(await running).toMatchObject({ code: 0, stdout: '3 pushed\n', stderr: '' });
    expect(bodies()).toEqual([1, 2, 3]);
  });

  it('pushes what has come while more may come, and ends when it is interrupted', async () => {
    const path = pathOf('pipe');
    await exec('mkfifo', [path]);
    const interrupt = new AbortController();
    const running = run(`push jobs ${path}`, { signal: interrupt.signal });
    await using writer = await open(path, 'w');
    await writer.write('1\n2\n');
    await expect.poll(bodies, { timeout: 10_000 }).toEqual([1, 2]);
    interrupt.abort();
    expect(await running).toMatchObject({ code: 130, stdout: '2 pushed\n' });
  });

  it('pushes a file as it is read, though it grows meanwhile', async () => {
    const path = pathOf();
    await writeFile(path, Array.from({ length: 30_000 }, (_, id) => `{"id":${id}}\n`).join(''));
    let grown: Promise<void> | undefined;
    onPush = () => (grown ??= appendFile(path, '{"id":"late"}\n'));
    const ran = await run(`push jobs ${path}`);
    expect([ran.code, ran.stdout]).toEqual([0, '30001 pushed\n']);
    const [done, total] = ran.stderr
      .trimEnd()
      .split(/[ /\n]/)
      .slice(-2);
    expect(done).toBe(total);
    expect(bodies().at(-1)).toEqual({ id: 'late' });
  });

  it('tells of a directory, and of a file that is not there', async () => {
    expect(await run(`push jobs ${directory}`)).toMatchObject({ code: 2, stderr: expect.stringContaining('EISDIR') });
    expect(await run('push jobs /nowhere/at.all')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('ENOENT'),
    });
  });

  it('pushes nothing of an empty file', async () => {
    await writeFile(pathOf(), '');
    expect(await run(`push jobs ${pathOf()}`)).toMatchObject({ code: 0, stdout: '0 pushed\n' });
  });
});

describe('push of a shell', () => {
  let cli: BuiltCli;

  beforeAll(async () => {
    cli = await BuiltCli.build();
  }, 60_000);

  afterAll(() => cli.remove());

  it.each([
    ['<(printf "1\\n2\\n")', ''],
    ['/dev/stdin', 'printf "1\\n2\\n" |'],
    ['/dev/stdin < FILE', ''],
    ['- < FILE', ''],
  ])('pushes %s', async (file, before) => {
    await writeFile(pathOf(), '1\n2\n');
    const command = `${before} ${cli.commandLine} push jobs ${file.replace('FILE', pathOf())}`;
    const env = { PATH: process.env['PATH'], ...environmentOf(server) };
    const { stdout } = await exec('bash', ['-c', command], { env });
    expect([stdout, bodies()]).toEqual(['2 pushed\n', [1, 2]]);
  });
});

describe('push of what is not UTF-8', () => {
  const line = (...bytes: readonly number[]): Uint8Array => Uint8Array.from([0x22, ...bytes, 0x22, 0x0a]);
  const file = async (...parts: readonly Uint8Array[]): Promise<string> => {
    await writeFile(pathOf(), Buffer.concat(parts));
    return pathOf();
  };

  it.each([
    ['a byte of Latin-1', [0xe9]],
    ['half a character', [0xe2, 0x82]],
    ['an encoded surrogate', [0xed, 0xa0, 0x80]],
    ['an overlong form', [0xc0, 0x80]],
  ])('names the line with %s, pushes those before it, and nothing after', async (_, bytes) => {
    const path = await file(line(0x61), line(0xc3, 0xa9), Uint8Array.of(0x0a), line(...bytes), line(0x62));
    const ran = await run(`push jobs ${path} --json`);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('Line 4 is not UTF-8')]);
    expect([ran.json[0].pushed, bodies()]).toEqual([2, ['a', 'é']]);
  });

  it('names the last line, though nothing ends it, and one of standard input', async () => {
    async function* stdin(): AsyncGenerator<Uint8Array> {
      yield Uint8Array.of(0x31, 0x0a, 0x22, 0xe2);
      yield Uint8Array.of(0x82);
    }
    const ran = await run('push jobs', { stdin: stdin() });
    expect([ran.code, ran.stderr, bodies()]).toEqual([2, expect.stringContaining('Line 2 is not UTF-8'), [1]]);
  });

  it('takes characters that come in pieces, and U+FFFD where it was written', async () => {
    async function* stdin(): AsyncGenerator<Uint8Array> {
      for (const byte of new TextEncoder().encode('\uFEFF"€😀\uFFFD"\n"x"\r\n')) yield Uint8Array.of(byte);
    }
    expect((await run('push jobs', { stdin: stdin() })).code).toBe(0);
    expect(bodies()).toEqual(['€😀\uFFFD', 'x']);
  });
});
