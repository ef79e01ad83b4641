import { execFile } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer, RawServer } from '../contract-suites/raw-server.ts';
import { type BuiltPackage, buildPackage } from './built-package.ts';

const metrics = JSON.stringify({ success: true, errors: [], messages: [], result: { backlog_count: 7 } });

let built: BuiltPackage;

beforeAll(async () => {
  built = await buildPackage();
}, 60_000);

afterAll(() => built[Symbol.asyncDispose]());

/** Runs a script with a queue of an embedded broker in a process of its own. */
function run(script: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const source = `
    import { openQueue } from ${JSON.stringify(built.module('index'))};
    import { createBroker } from ${JSON.stringify(built.module('broker'))};
    const broker = createBroker({ queues: { jobs: {} } });
    const queue = openQueue(broker.queue('jobs'));
    ${script}`;
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ['--input-type=module', '--eval', source], (_, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}

describe('a process', () => {
  it('stays while somebody waits for a message of a paused consumer', async () => {
    const { code, stdout } = await run(`
      const consumer = queue.consume({ stopWhenEmpty: { forMs: 100 } });
      consumer.pause();
      setTimeout(() => { queue.send('x'); consumer.resume(); }, 500).unref();
      setTimeout(() => undefined, 300);
      const timer = setInterval(() => { if (consumer.stats.pulls > 0) clearInterval(timer); }, 100);
      timer.unref();
      for await (const message of consumer) console.log(message.body);
    `);
    // An unref'd timer does not keep the process: it came to it because the consumer did.
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'x\n' });
  });

  it.each([
    ['a wrong option', `{ concurrency: 0 }`, 'ok'],
    ['what ended it', '{}', 'refused'],
  ])(
    'ends when a processor fails with %s and nobody waits for it, as with any promise',
    async (_, options, queueName) => {
      const start = `
      const refused = { ...broker.queue('jobs'), apiToken: 'wrong' };
      const processor = openQueue(${queueName === 'ok' ? "broker.queue('jobs')" : 'refused'}).process(() => 1, ${options});`;
      const unheeded = await run(`${start} await processor.closed; await processor.close(); console.log('closed');`);
      expect(unheeded).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/(RangeError|QueueError).*: /) as unknown,
      });
      const seen = await run(`${start}
      process.on('unhandledRejection', (error, promise) => console.log(error.name, promise === processor));
      await processor.closed;`);
      expect(seen).toMatchObject({ code: 0, stdout: `${queueName === 'ok' ? 'RangeError' : 'QueueError'} true\n` });
      const heeded = [
        'await processor.catch(() => 1);',
        'await (async () => processor)().catch(() => 1);',
        'await Promise.allSettled([processor]);',
        'try { await processor } catch {}',
        'processor.finally(() => 1).catch(() => 1);',
      ];
      for (const heed of heeded) expect(await run(`${start} ${heed}`)).toEqual({ code: 0, stdout: '', stderr: '' });
    },
    30_000,
  );

  it('is not warned of listeners by many consumers with one signal', async () => {
    const { code, stderr } = await run(`
      const shutdown = new AbortController();
      const closed = Array.from({ length: 15 }, () => queue.process(() => 1, { signal: shutdown.signal }));
      setTimeout(() => shutdown.abort(), 100);
      await Promise.all(closed);
    `);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('ends although connections are kept, and by itself', async () => {
    await using server = await RawServer.listen((socket) => socket.write(answer(metrics)));
    const { code, stdout } = await run(`
      const connection = { accountId: 'a', queueId: 'b', apiToken: 'c', baseUrl: ${JSON.stringify(server.url)} };
      const { backlogCount } = await openQueue(connection).metrics();
      console.log(backlogCount);
    `);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '7\n' });
    expect(server.requests).toHaveLength(1);
    // That it is the client on Node, chosen by the package.
    expect(server.requests[0]).not.toContain('sec-fetch-mode');
  });
});
