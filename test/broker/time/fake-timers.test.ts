import { execFile } from 'node:child_process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createBroker, ManualClock } from '../../../src/broker.ts';
import { openQueue } from '../../../src/index.ts';
import { type BuiltPackage, buildPackage } from '../../end-to-end/built-package.ts';

// Of jest and of the newer vitest, `npm run crossings`.

/** Works off two messages, the second of which takes a minute of the clock's time. */
async function workOff(library: {
  createBroker: typeof createBroker;
  ManualClock: typeof ManualClock;
  openQueue: typeof openQueue;
}): Promise<number> {
  const clock = new library.ManualClock();
  const broker = library.createBroker({ clock, queues: { jobs: {} } });
  broker.push('jobs', { body: 0 });
  broker.push('jobs', { body: 60_000 });
  const wait = (ms: number): Promise<void> => new Promise((resolve) => clock.setTimer(resolve, ms));
  const done = library
    .openQueue<number>(broker.queue('jobs'))
    .process(({ body }) => wait(body), { visibilityTimeoutMs: 120_000, stopWhenEmpty: true });
  return (await clock.runUntil(done)).acked;
}

/** What a process of its own prints. */
async function output(source: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--input-type=module', '--eval', source], { timeout: 20_000 }, (_, stdout) =>
      resolve(stdout),
    );
  });
}

describe("ManualClock under vitest's fake timers", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('goes on where it was loaded before', async () => {
    expect(await workOff({ createBroker, ManualClock, openQueue })).toBe(2);
  });

  it('goes on where it is loaded afterwards', async () => {
    vi.resetModules();
    const broker = await import('../../../src/broker.ts');
    const { openQueue: open } = await import('../../../src/index.ts');
    expect(broker.ManualClock).not.toBe(ManualClock);
    expect(await workOff({ ...broker, openQueue: open })).toBe(2);
    // What they faked is theirs: it fires when they say so, and changes nothing.
    await vi.runAllTimersAsync();
    expect(await workOff({ ...broker, openQueue: open })).toBe(2);
  });
});

describe('the system clock', () => {
  it('is moved by fake timers', async () => {
    vi.useFakeTimers();
    const queue = openQueue<string>(createBroker({ queues: { jobs: {} } }).queue('jobs'));
    const seen: string[] = [];
    const consumer = queue.consume({ stopWhenEmpty: { forMs: 60_000 } });
    const reading = (async () => {
      for await (const { body } of consumer) seen.push(body);
    })();
    const sent = queue.send('x');
    await vi.advanceTimersByTimeAsync(70_000);
    await Promise.all([sent, reading]);
    vi.useRealTimers();
    expect(seen).toEqual(['x']);
  });
});

describe("node:test's mock timers", () => {
  let built: BuiltPackage;

  beforeAll(async () => {
    built = await buildPackage();
  }, 60_000);

  afterAll(() => built[Symbol.asyncDispose]());

  it.each(['before', 'afterwards'])('leave ManualClock to go on where it was loaded %s', async (when) => {
    const imports = `
      const { createBroker, ManualClock } = await import(${JSON.stringify(built.module('broker'))});
      const { openQueue } = await import(${JSON.stringify(built.module('index'))});`;
    const enable = 'mock.timers.enable();';
    const source = `
      import { mock } from 'node:test';
      ${when === 'before' ? imports + enable : enable + imports}
      ${workOff.toString()}
      console.log(await workOff({ createBroker, ManualClock, openQueue }));`;
    expect(await output(source)).toBe('2\n');
  });

  it('leave the system clock to clear a timer that was set before', async () => {
    const source = `
      import { mock } from 'node:test';
      import { systemClock } from ${JSON.stringify(built.module('contract/system-clock'))};
      const timers = [0, 1].map((delayMs) => systemClock.setTimer(() => console.log('fired'), delayMs));
      mock.timers.enable();
      for (const timer of timers) timer.cancel();
      mock.timers.reset();
      setTimeout(() => console.log('end'), 20);`;
    expect(await output(source)).toBe('end\n');
  });
});
