import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPackage } from '../end-to-end/built-package.ts';

// Debian's Chromium, which .ci/run installs; CHROMIUM names another one.
const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const rolldown = join(import.meta.dirname, '../../node_modules/rolldown/bin/cli.mjs');

/** Runs in the page, where `library` is. Gives how many messages were acknowledged before their work had ended. */
const earlyAcks = async ([reader, options]: readonly [reader: string, options: object]): Promise<number> => {
  const page = globalThis as unknown as {
    library: Record<'createBroker' | 'openQueue' | 'toReadableStream', (...parameters: unknown[]) => never> & {
      ManualClock: new () => { now(): number; setTimer(callback: () => void, ms: number): void };
    };
    Observable: { from(source: unknown): { forEach(call: (message: Message) => void): Promise<void> } };
    Array: { fromAsync(source: unknown): Promise<Message[]> };
  };
  interface Message {
    readonly id: string;
    ack(): void;
  }
  const { createBroker, ManualClock, openQueue, toReadableStream } = page.library;
  const clock = new ManualClock();
  const ended = new Set<string>();
  let early = 0;
  const broker: { push(queue: string, message: object): void; transport(name: string): unknown } = createBroker({
    clock,
    queues: { jobs: {} },
    onJournal: (entry: { type: string; messageId: string }) => {
      if (entry.type === 'acked' && !ended.has(entry.messageId)) early += 1;
    },
  });
  for (let body = 0; body < 12; body += 1) broker.push('jobs', { body });
  const queue: { consume(options: object): AsyncIterable<Message> & { closed: Promise<{ acked: number }> } } =
    openQueue({
      transport: broker.transport('jobs'),
      clock,
    });
  const consumer = queue.consume({ ...options, stopWhenEmpty: true });
  const work = async (message: Message): Promise<void> => {
    await new Promise<void>((resolve) => clock.setTimer(resolve, 50));
    ended.add(message.id);
    message.ack();
  };
  const readers: Record<string, () => Promise<unknown>> = {
    observable: async () => {
      const works: Promise<void>[] = [];
      await page.Observable.from(consumer).forEach((message) => void works.push(work(message)));
      await Promise.all(works);
    },
    array: async () => Promise.all((await page.Array.fromAsync(consumer)).map(work)),
    loop: async () => {
      for await (const message of consumer) await work(message);
    },
    stream: async () => {
      const stream: AsyncIterable<Message> = toReadableStream(consumer);
      for await (const message of stream) await work(message);
    },
  };
  const reading = (clock as unknown as { runUntil(promise: unknown): Promise<unknown> }).runUntil(
    Promise.all([readers[reader]?.(), consumer.closed]),
  );
  await reading;
  return ended.size === 12 ? early : Number.NaN;
};

let profile: string;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  profile = await mkdtemp(join(tmpdir(), 'leasestream-chromium-'));
  await using built = await buildPackage();
  const entry = built.module('everything');
  await writeFile(entry, "export * from './index.js'; export * from './broker.js'; export * from './web.js';");
  const file = built.module('bundle');
  // Not what opens sockets and files, which a page never asks for.
  const external = ['./http/listen.js', './level-store.js'].flatMap((module) => ['--external', module]);
  const parameters = ['--input', entry, '--file', file, '--platform', 'browser', ...external, '--no-codeSplitting'];
  await promisify(execFile)(process.execPath, [rolldown, ...parameters]);
  context = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args: ['--no-sandbox'] });
  page = await context.newPage();
  const bundle = JSON.stringify(await readFile(file, 'utf8'));
  // As text, since what vitest makes of an import() is none of the page's.
  await page.evaluate(
    `import(URL.createObjectURL(new Blob([${bundle}], { type: 'text/javascript' }))).then((library) => { globalThis.library = library; })`,
  );
}, 120_000);

afterAll(async () => {
  await context.close();
  await rm(profile, { recursive: true, force: true });
});

describe("Chromium's readers of a queue", () => {
  it.each([
    ['Observable.from()', 'observable', {}, true],
    ['Observable.from()', 'observable', { settle: 'manual' }, false],
    ['Array.fromAsync()', 'array', {}, true],
    ['Array.fromAsync()', 'array', { settle: 'manual', minInFlight: 12 }, false],
    ['for await', 'loop', {}, false],
    ['for await', 'loop', { settle: 'manual' }, false],
    ['toReadableStream()', 'stream', {}, false],
  ])('fare as docs/readers.md says: %s', async (_, reader, options, isEarly) => {
    const early = await page.evaluate(earlyAcks, [reader, options] as const);
    expect(early).not.toBeNaN();
    expect(early > 0).toBe(isEarly);
  });

  it('lack ReadableStream.from(), and a polyfill of Symbol.observable', async () => {
    expect(await page.evaluate(() => 'from' in ReadableStream)).toBe(false);
    expect(await page.evaluate(() => 'observable' in Symbol)).toBe(false);
  });
});
