import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BrokerServer, createBroker } from '../../src/broker.ts';
import { openQueue } from '../../src/index.ts';
import { type BuiltPackage, buildPackage } from './built-package.ts';

const healthy = 200;

let built: BuiltPackage;
let server: BrokerServer;
const broker = createBroker();

beforeAll(async () => {
  built = await buildPackage();
  server = await broker.listen();
}, 60_000);

afterAll(async () => {
  await server.close();
  await built[Symbol.asyncDispose]();
});

/** Consumes in a process of its own, started again as long as anything is left; gives how often it was killed. */
async function supervise(name: string, connection: object): Promise<number> {
  const script = join(import.meta.dirname, 'poisoned-consumer.mjs');
  let kills = 0;
  // A machine under load leases for longer than a consumer waits for more.
  while (!broker.isEmpty(name)) {
    const parameters = [script, built.module('index'), JSON.stringify(connection)];
    const consumer = spawn(process.execPath, parameters, { stdio: 'inherit' });
    const [code] = (await once(consumer, 'exit')) as [number | null];
    if (code === null) kills += 1;
    else expect(code).toBe(0);
  }
  return kills;
}

describe('a message that kills the process that works on it', () => {
  it.each([1, 2])(
    'is dead-lettered alone, and all others are handled, with %i processes',
    async (processes) => {
      const [name, dead] = [`work-${processes}`, `dead-${processes}`];
      const connection = server.queue(name, { maxRetries: 3, deadLetterQueue: dead });
      const bodies = Array.from({ length: healthy }, (_, body): number | string => body).toSpliced(7, 0, 'poison');
      await openQueue<number | string>(connection).sendBatch(bodies.map((body) => ({ body })));
      const each = Array.from({ length: processes }, () => supervise(name, connection));
      const kills = await Promise.all(each);
      expect(kills.reduce((sum, count) => sum + count)).toBe(4);
      expect(broker.inspect(dead).messages.map(({ body }) => body)).toEqual(['poison']);
    },
    120_000,
  );
});
