import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BrokerServer, createBroker, type JournalEntry } from '../../src/broker.ts';
import { openQueue } from '../../src/index.ts';
import { type BuiltPackage, buildPackage } from './built-package.ts';

const messages = 2_000;
const kills = 30;

let built: BuiltPackage;
let server: BrokerServer;
const journal: JournalEntry[] = [];
const broker = createBroker({ onJournal: (entry) => void journal.push(entry) });

beforeAll(async () => {
  built = await buildPackage();
  server = await broker.listen();
}, 60_000);

afterAll(async () => {
  await server.close();
  await built[Symbol.asyncDispose]();
});

/** Consumes in a process of its own; `onHandled` hears of every finished handler, and may kill it. */
async function consume(
  connection: object,
  onHandled: (body: number, consumer: ChildProcess) => void,
): Promise<number | null> {
  const script = join(import.meta.dirname, 'crashing-consumer.mjs');
  const consumer = spawn(process.execPath, [script, built.module('index'), JSON.stringify(connection)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(consumer, 'exit') as Promise<[code: number | null]>;
  for await (const line of createInterface({ input: consumer.stdout })) onHandled(Number(line), consumer);
  const [code] = await exited;
  return code;
}

describe('a consumer that is killed again and again', () => {
  it('loses no message: each is handled, acknowledged after that, and gone in the end', async () => {
    const connection = server.queue('work', { maxRetries: 100 });
    await openQueue<number>(connection).sendBatch(Array.from({ length: messages }, (_, body) => ({ body })));
    const handled = new Set<number>();
    const handledAgain: number[] = [];
    const note = (body: number): void => void (handled.has(body) ? handledAgain.push(body) : handled.add(body));
    for (let killed = 0; killed < kills; killed += 1) {
      // From the first handler's end to well within the work.
      let left = 1 + ((killed * 37) % 61);
      const code = await consume(connection, (body, consumer) => {
        note(body);
        left -= 1;
        if (left === 0) consumer.kill('SIGKILL');
      });
      expect(code).toBeNull();
    }
    expect(broker.isEmpty('work')).toBe(false);

    expect(await consume(connection, note)).toBe(0);
    expect(handled.size).toBe(messages);
    expect(broker.isEmpty('work')).toBe(true);
    const acked = journal.filter(({ type }) => type === 'acked').map(({ messageId }) => messageId);
    expect(new Set(acked).size).toBe(messages);
    expect(acked).toHaveLength(messages);
    // What was repeated is what a killed process had in hand or had not yet acknowledged.
    expect(handledAgain.length).toBeLessThan(kills * 60);
  }, 120_000);
});
