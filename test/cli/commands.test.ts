import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Broker, type BrokerServer, createBroker, ManualClock } from '../../src/broker.ts';
import { hastyClock } from './hasty-clock.ts';
import { environmentOf, type Ran, runCli, type RunSettings } from './run-cli.ts';

let broker: Broker;
let server: BrokerServer;
let directory: string;
/** The bodies of the requests that pushed. (The broker itself keeps numbers as JavaScript has them.) */
let pushes: string[];
/** Called before each answer to a request for metrics. */
let onLook: () => void;

const exact = '{"n":12345678901234567890.10}';

beforeEach(async () => {
  const queues = { jobs: { deadLetterQueue: 'dead' }, dead: { maxRetries: 100 } };
  broker = createBroker({ apiToken: 's3cret-token', queues });
  pushes = [];
  onLook = () => undefined;
  server = await broker.listen({
    intercept: async (request, next) => {
      if (/messages(\/batch)?$/.test(request.url)) pushes.push(await request.clone().text());
      if (request.url.endsWith('/metrics')) onLook();
      return next(request);
    },
  });
  directory = await mkdtemp(join(tmpdir(), 'leasestream-cli-'));
});

afterEach(async () => {
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

const run = (line: string, settings: RunSettings = {}): Promise<Ran> =>
  runCli(line.split(' '), { environment: environmentOf(server), ...settings });
const bodies = (queue: string): unknown[] => broker.inspect(queue).messages.map(({ body }) => body);
const file = async (text: string): Promise<string> => {
  const path = join(directory, 'in.ndjson');
  await writeFile(path, text);
  return path;
};

describe('push', () => {
  it('pushes each line of a file, and shows how far it is', async () => {
    const path = await file('\uFEFF{"a":1}\r\n\n[2]\n"text é"\nnull');
    const ran = await run(`push jobs ${path}`);
    expect(ran).toMatchObject({ code: 0, stdout: '4 pushed\n', stderr: 'pushed 4/4\n' });
    expect(bodies('jobs')).toEqual([{ a: 1 }, [2], 'text é', null]);
    expect(broker.inspect('jobs').messages.map(({ contentType }) => contentType)).toEqual([
      'json',
      'json',
      'text',
      'json',
    ]);
  });

  it('pushes standard input, with a delay, by the id of the queue', async () => {
    const ran = await run(`push ${server.queue('jobs').queueId} - --delay 5m --json`, { stdin: '1\n2' });
    expect(ran).toMatchObject({ code: 0, json: [{ pushed: 2 }], stderr: '' });
    expect(broker.inspect('jobs').counts.delayed).toBe(2);
  });

  it('keeps every digit', async () => {
    await run('push jobs', { stdin: exact });
    expect(pushes.join('')).toContain(exact);
  });

  it('pushes thousands in full batches', async () => {
    const stdin = Array.from({ length: 2_500 }, (_, index) => `{"id":${index}}\n`).join('');
    expect((await run('push jobs', { stdin })).code).toBe(0);
    expect(bodies('jobs')).toHaveLength(2_500);
  });

  it('draws a bar on a terminal, and none when it shall be quiet', async () => {
    const path = await file('1\n2\n');
    expect((await run(`push jobs ${path}`, { isTTY: true })).stderr).toBe(`\rpushed ${'█'.repeat(30)} 2/2\n`);
    expect((await run('push jobs', { isTTY: true, stdin: '1\n2' })).stderr).toBe('\rpushed 2\n');
    expect((await run(`push jobs ${path} --quiet`, { isTTY: true })).stderr).toBe('');
  });

  it('stops at a line that is not JSON, and tells what was pushed before', async () => {
    const ran = await run('push jobs --json', { stdin: '1\n2\n{"oops\n4\n' });
    expect([ran.code, ran.json[0]]).toEqual([2, { pushed: 2, error: expect.stringContaining('Line 3 is not JSON') }]);
    expect(ran.stderr).toContain('Line 3 is not JSON');
    expect(bodies('jobs')).toEqual([1, 2]);
  });

  it('names the line that is too long for a message, and pushes those before it', async () => {
    const ran = await run('push jobs --json', { stdin: `1\n"${'x'.repeat(128_001)}"\n3` });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('Line 2 has a body of 128001 bytes: a message is at most 128000');
    expect(bodies('jobs')).toEqual([1]);
  });

  it('pushes what has come while more may come, and ends when it is interrupted', async () => {
    const interrupt = new AbortController();
    async function* slow(): AsyncGenerator<Uint8Array> {
      // The last line is cut off.
      yield new TextEncoder().encode('1\n2\n3');
      await new Promise(() => undefined);
    }
    const running = run('push jobs', { stdin: slow(), signal: interrupt.signal });
    await expect.poll(() => bodies('jobs'), { timeout: 10_000 }).toEqual([1, 2]);
    interrupt.abort();
    expect(await running).toMatchObject({ code: 130, stdout: '2 pushed\n' });
    expect(bodies('jobs')).toEqual([1, 2]);
  });
});

describe('pull', () => {
  it('keeps every digit', async () => {
    broker.push('jobs', { body: exact, contentType: 'json', raw: true });
    expect((await run('pull jobs --bodies --leave')).stdout).toBe(`${exact}\n`);
  });

  it('prints a body of several lines on one', async () => {
    const body = { text: 'a\r\nb', list: [1, 2] };
    broker.push('jobs', { body: JSON.stringify(body, undefined, 2), contentType: 'json', raw: true });
    const { stdout } = await run('pull jobs --bodies');
    expect(stdout.trimEnd()).not.toContain('\n');
    expect(JSON.parse(stdout)).toEqual(body);
  });
});

describe('pull of all kinds', () => {
  beforeEach(() => {
    for (const body of [{ a: 1 }, 'text', Uint8Array.of(1, 2)]) broker.push('jobs', { body });
    broker.push('jobs', { body: '{"broken', contentType: 'json', raw: true });
  });

  it.each([
    ['', 0],
    [' --leave', 1],
  ])('prints, and leaves it there: pull%s', async (flag, attempts) => {
    const ran = await run(`pull jobs${flag}`);
    expect(ran.code).toBe(0);
    expect(ran.json).toEqual([
      { id: expect.any(String), attempts, timestamp: expect.any(String), contentType: 'json', body: { a: 1 } },
      expect.objectContaining({ contentType: 'text', body: 'text' }),
      expect.objectContaining({ contentType: 'bytes', body: 'AQI=' }),
      expect.objectContaining({ contentType: 'json', body: '{"broken' }),
    ]);
    expect(new Date(ran.json[0].timestamp).toISOString()).toBe(ran.json[0].timestamp);
    expect(broker.inspect('jobs').counts).toMatchObject({ ready: 4, leased: 0 });
  });

  it('acknowledges what was printed, up to a maximum', async () => {
    const ran = await run('pull jobs --ack --max 2 --bodies');
    expect(ran).toMatchObject({ code: 0, stdout: '{"a":1}\n"text"\n' });
    expect(broker.inspect('jobs').counts.total).toBe(2);
  });

  it.each(['--ack', '--leave'])('gives back what could not be printed, and tells why, with %s', async (flag) => {
    const outputError = Object.assign(new Error('write ENOSPC'), { code: 'ENOSPC' });
    const ran = await run(`pull jobs ${flag}`, { outputError });
    expect(ran).toMatchObject({ code: 1, stderr: 'leasestream: write ENOSPC\n' });
    expect(broker.inspect('jobs').counts).toMatchObject({ ready: 4, leased: 0 });
  });

  it('says nothing of a reader that has had enough', async () => {
    const outputError = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
    expect(await run('pull jobs', { outputError })).toMatchObject({ code: 1, stderr: '' });
    expect(broker.inspect('jobs').counts).toMatchObject({ ready: 4, leased: 0 });
  });

  it('takes one of --ack and --leave, and whole numbers', async () => {
    expect((await run('pull jobs --ack --leave')).code).toBe(2);
    for (const max of ['0', '-1', 'x', '1.5']) expect((await run(`pull jobs --max ${max}`)).code).toBe(2);
    expect((await run('pull jobs --visibility-timeout soon')).code).toBe(2);
    expect((await run('pull jobs --visibility-timeout 13h')).code).toBe(2);
  });

  it('tells of settlements that did nothing', async () => {
    broker.queue('fragile', { maxRetries: 0 });
    broker.push('fragile', { body: 1 });
    // The lease ends before the acknowledgement is sent, and with it the message.
    const onOutput = (): void => {
      const end = performance.now() + 5;
      while (performance.now() < end);
    };
    const ran = await run('pull fragile --ack --visibility-timeout 1ms', { onOutput });
    expect([ran.code, ran.stderr]).toEqual([3, '1 could not be settled: they come again, or are gone\n']);
  });
});

describe('tail', () => {
  it('shows what is there, and consumes nothing', async () => {
    broker.push('jobs', { body: { a: 1 } });
    broker.push('jobs', { body: 'x' });
    const plain = await run('tail jobs --once');
    expect(plain.stdout).toMatch(/^\S+Z [\da-f]{32} \{"a":1\}\n\S+Z [\da-f]{32} "x"\n$/);
    const json = await run('tail jobs --once --json');
    expect(json.json.map(({ body }) => body)).toEqual([{ a: 1 }, 'x']);
    expect(broker.inspect('jobs').messages.map(({ attempts }) => attempts)).toEqual([0, 0]);
  });

  it('follows, shows each message once, and ends well when it is interrupted', async () => {
    broker.push('jobs', { body: 'first' });
    const controller = new AbortController();
    const onOutput = (text: string): void => {
      if (text.includes('first')) broker.push('jobs', { body: 'second' });
      else controller.abort();
    };
    const ran = await run('tail jobs --interval 100ms --json', { signal: controller.signal, onOutput });
    expect([ran.code, ran.json.map(({ body }) => body)]).toEqual([0, ['first', 'second']]);
  });
});

describe('stats', () => {
  it('shows all queues, or those that are named', async () => {
    broker.push('dead', { body: 'abc' });
    const all = await run('stats');
    expect(all.code).toBe(0);
    expect(all.stdout).toMatch(/^QUEUE {2}BACKLOG {2}BYTES {2}OLDEST\njobs {9}0 {6}0 {7}-\ndead {9}1 {6}3 +\d+ ms\n$/);
    const some = await run('stats dead --json');
    expect(some.json).toEqual([
      {
        name: 'dead',
        id: server.queue('dead').queueId,
        backlogCount: 1,
        backlogBytes: 3,
        oldestAgeMs: expect.any(Number),
      },
    ]);
  });

  /** Pushes or pulls one message after each look, and ends it after some. */
  const watch = (line: string, looks: number, settings: RunSettings = {}): Promise<Ran> => {
    const controller = new AbortController();
    let count = 0;
    const onOutput = (): void => {
      count += 1;
      if (count === looks) controller.abort();
      broker.push('jobs', { body: 'x' });
    };
    return run(`stats jobs --watch --interval 100ms ${line}`.trim(), {
      signal: controller.signal,
      onOutput,
      ...settings,
    });
  };

  it('looks again and again, and ends well when it is interrupted', async () => {
    const ran = await watch('', 3);
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    expect(ran.stdout).toMatch(
      /^QUEUE {2}BACKLOG {2}BYTES {2}OLDEST {2}CHANGE\/S\njobs {9}0 {6}0 {7}- {9}-\njobs +1 +1 +\d+ ms +\+[\d.]+\njobs +2 +2 +\d+ ms +\+[\d.]+\n$/,
    );
  });

  it('says in JSON how fast the backlog changes', async () => {
    const { json } = await watch('--json', 2);
    expect(json.map(({ backlogCount }) => backlogCount)).toEqual([0, 1]);
    expect(json[0].backlogRate).toBeNull();
    expect(json[1].backlogRate).toBeGreaterThan(0);
    expect(json[1].backlogRate).toBeLessThanOrEqual(10);
    expect(Object.keys(json[1])).toEqual(['name', 'id', 'backlogCount', 'backlogBytes', 'oldestAgeMs', 'backlogRate']);
  });

  it('draws in place on a terminal that can, and without bars on one that can only do the one', async () => {
    const environment = { ...environmentOf(server), LANG: 'C.UTF-8', TERM: 'xterm' };
    const drawn = await watch('', 3, { isTTY: true, environment });
    expect(drawn.stdout).toContain('\u001B[2A\r\u001B[J');
    expect(drawn.stdout.split('\u001B[J').at(-1)).toMatch(/^QUEUE.*\njobs .* {2}▁▅█\n$/s);
    const plain = await watch('', 2, { isTTY: true, environment: { ...environment, LANG: 'C' } });
    expect(plain.stdout).not.toMatch(/[▁-█]/);
    expect(plain.stdout).toContain('\u001B[2A');
  });

  it('goes on after a look that fails, and ends when the first one does', async () => {
    const fail = (failBefore: 0 | 1): void => broker.setFaults({ failBefore, calls: ['metrics'] });
    const controller = new AbortController();
    let looks = 0;
    onLook = () => {
      looks += 1;
      fail(looks === 2 ? 1 : 0);
      if (looks === 3) controller.abort();
    };
    const ran = await run('stats jobs --watch --interval 100ms', { signal: controller.signal });
    expect([ran.code, ran.stderr]).toEqual([0, expect.stringContaining('the service answered 500')]);
    looks = 1;
    expect((await run('stats jobs --watch')).code).toBe(1);
  });

  it('reads every page of the list', async () => {
    for (let index = 0; index < 150; index += 1) broker.queue(`q${index}`);
    expect((await run('stats --json')).json).toHaveLength(152);
  });
});

describe('redrive', () => {
  const fill = (count: number): void => {
    for (let body = 0; body < count; body += 1) broker.push('dead', { body: { body } });
  };

  it('moves all messages back, each acknowledged once it is pushed', async () => {
    fill(250);
    broker.push('dead', { body: 'text' });
    broker.push('dead', { body: exact, contentType: 'json', raw: true });
    const ran = await run('redrive dead jobs --json');
    const report = { from: 'dead', to: 'jobs', dryRun: false, moved: 252, copied: 0, left: 0, unmoved: [] };
    expect([ran.code, ran.json]).toEqual([0, [report]]);
    expect(broker.isEmpty('dead')).toBe(true);
    expect(broker.inspect('jobs').counts.ready).toBe(252);
    expect(pushes.join('')).toContain(exact);
  });

  it('finds the queue that the dead letters came from', async () => {
    fill(3);
    expect(await run('redrive dead')).toMatchObject({ code: 0, stdout: '3 moved from dead to jobs\n' });
    expect((await run('redrive jobs')).code).toBe(2);
    broker.queue('other', { deadLetterQueue: 'dead' });
    const ran = await run('redrive dead');
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('More than one queue')]);
  });

  it('moves no more than the limit, and nothing in a dry run', async () => {
    fill(100);
    const dry = await run('redrive dead jobs --dry-run');
    expect(dry).toMatchObject({ code: 0, stdout: '100 would be moved from dead to jobs\n' });
    fill(150);
    expect(broker.inspect('dead').messages[0]?.attempts).toBe(0);
    expect(await run('redrive dead jobs --limit 120')).toMatchObject({
      code: 0,
      stdout: '120 moved from dead to jobs\n',
      stderr: 'moved 100/120\nmoved 120/120\n',
    });
    expect([broker.inspect('dead').counts, broker.inspect('jobs').counts]).toMatchObject([
      { ready: 130, leased: 0 },
      { ready: 120 },
    ]);
  });

  it('leaves what HTTP cannot push', async () => {
    fill(2);
    broker.push('dead', { body: Uint8Array.of(1) });
    const ran = await run('redrive dead jobs');
    expect([ran.code, ran.stdout]).toEqual([3, '2 moved from dead to jobs, 1 left in dead\n']);
    expect(broker.inspect('dead').counts).toMatchObject({ ready: 1, leased: 0 });
  });

  it('loses nothing when pushes fail, before or after their effect', async () => {
    fill(300);
    broker.setFaults({ seed: 2, failAfter: 0.3, failBefore: 0.3, calls: ['push'] });
    expect((await run('redrive dead jobs')).code).toBe(0);
    broker.setFaults({});
    const seen = new Set(bodies('jobs').map((body) => JSON.stringify(body)));
    expect([seen.size, broker.isEmpty('dead')]).toEqual([300, true]);
  });

  it('tells what is in both queues when the acknowledgement does nothing', async () => {
    fill(2);
    broker.setFaults({ failAfter: 1, calls: ['ack'] });
    const ran = await run('redrive dead jobs --json', { clock: hastyClock(new ManualClock()) });
    expect([ran.code, ran.json[0]]).toMatchObject([1, { moved: 0, copied: 2, left: 0 }]);
    expect(broker.inspect('jobs').counts.total).toBe(2);
  });

  it('refuses a queue and itself', async () => {
    expect((await run('redrive dead dead')).code).toBe(2);
  });
});

describe('every command', () => {
  const lines = ['push jobs', 'pull jobs', 'tail jobs --once', 'stats jobs', 'redrive dead jobs'];

  it.each(lines)('fails with 2 for a queue that is not there, or no token: %s', async (line) => {
    const ran = await run(line.replace(/jobs/, 'nobody'));
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining("There is no queue named 'nobody'")]);
    const { CLOUDFLARE_API_TOKEN: _, ...environment } = environmentOf(server);
    expect((await run(line, { environment })).code).toBe(2);
  });

  it.each(lines)('fails with 1 when the service does, and shows no token: %s', async (line) => {
    const wrong = { ...environmentOf(server), CLOUDFLARE_API_TOKEN: 'wr0ng' };
    const refused = await run(line, { environment: wrong, stdin: '1' });
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('403')]);
    broker.setFaults({ failBefore: 1, calls: ['manage', 'pull', 'peek', 'metrics'] });
    const failed = await run(line, { stdin: '1' });
    expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining('500')]);
    for (const ran of [refused, failed]) expect(ran.stdout + ran.stderr).not.toMatch(/wr0ng|s3cret/);
  });

  it.each(lines)('takes the connection from options as well: %s', async (line) => {
    const flags = `--base-url ${server.baseUrl} --account-id ${server.accountId} --api-token ${server.apiToken}`;
    expect((await run(`${line} ${flags}`, { environment: {}, stdin: '1' })).code).toBe(0);
  });

  it.each(['serve', 'push', 'pull', 'tail', 'stats', 'redrive'])('has help: %s', async (command) => {
    const ran = await run(`${command} --help`);
    expect(ran.code).toBe(0);
    for (const text of ['Usage: leasestream', 'Examples:', 'Exit codes:', '--json']) expect(ran.stdout).toContain(text);
  });

  it('is listed, and needed', async () => {
    const { stdout, code } = await run('--help');
    expect([code, stdout]).toEqual([0, expect.stringContaining('redrive')]);
    expect((await runCli([])).code).toBe(2);
    expect((await run('fly')).code).toBe(2);
    expect((await run('stats --fly')).code).toBe(2);
    expect((await run('push')).code).toBe(2);
  });
});
