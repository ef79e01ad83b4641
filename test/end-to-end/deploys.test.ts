import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Broker, type BrokerServer, createBroker } from '../../src/broker.ts';
import { openQueue } from '../../src/index.ts';
import { readPage } from '../package/examples.ts';
import { type BuiltPackage, buildPackage } from './built-package.ts';

/** As the page says: so much less than what the process is given. */
const graceMs = 2_000;
const killedAfterMs = graceMs + 5_000;

let built: BuiltPackage;
let recipe: string;
let broker: Broker;
let server: BrokerServer;
let workplace: Workplace;

/** What handlers ask to work: answers at once, when it is told to, or never, by the path. */
class Workplace {
  readonly #server: Server;
  readonly #held: ServerResponse[] = [];
  readonly begun: string[] = [];

  constructor() {
    this.#server = createServer((request, response) => {
      const path = request.url ?? '';
      this.begun.push(path);
      if (path.startsWith('/quick')) response.end();
      else if (path.startsWith('/slow')) this.#held.push(response);
      this.#server.emit('begun');
    });
  }

  async listen(): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
  }

  url(path: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${path}`;
  }

  /** Resolves when so many pieces of work have begun. */
  async hasBegun(count: number): Promise<void> {
    while (this.begun.length < count) await once(this.#server, 'begun');
  }

  /** Ends what is slow. */
  finish(): void {
    for (const response of this.#held.splice(0)) response.end();
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

beforeAll(async () => {
  built = await buildPackage();
  const [example] = await readPage('docs/deploys.md');
  recipe = (example?.code ?? '')
    .replace("'leasestream'", JSON.stringify(built.module('index')))
    .replace("'leasestream/node'", JSON.stringify(built.module('node')));
}, 60_000);

afterAll(() => built[Symbol.asyncDispose]());

beforeEach(async () => {
  broker = createBroker();
  server = await broker.listen();
  workplace = new Workplace();
  await workplace.listen();
});

afterEach(async () => {
  workplace.close();
  await server.close();
});

async function freePort(): Promise<number> {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  taken.close();
  return port;
}

/** Starts the service of the page in a process of its own, as what runs it would. */
async function start(code: string) {
  const script = join(dirname(built.module('index')), 'worker.mjs');
  await writeFile(script, code);
  const { accountId, apiToken, baseUrl, queueId } = server.queue('jobs');
  const port = await freePort();
  const env = {
    ...process.env,
    CLOUDFLARE_ACCOUNT_ID: accountId,
    CLOUDFLARE_API_TOKEN: apiToken,
    CLOUDFLARE_BASE_URL: baseUrl,
    QUEUE_ID: queueId,
    GRACE_MS: String(graceMs),
    PORT: String(port),
  };
  const child = spawn(process.execPath, [script], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  const exited = once(child, 'exit') as Promise<[code: number | null, signal: string | null]>;
  return {
    probe: () => fetch(`http://127.0.0.1:${port}/`),
    /** Ends it as a deploy does: a signal, and another one that nobody survives. */
    async stop(signal: NodeJS.Signals = 'SIGTERM', meanwhile = (): void => undefined) {
      child.kill(signal);
      const kill = setTimeout(() => child.kill('SIGKILL'), killedAfterMs);
      meanwhile();
      const [exitCode, killedBy] = await exited;
      clearTimeout(kill);
      return { exitCode, killedBy, printed };
    },
  };
}

async function push(...paths: readonly string[]): Promise<void> {
  const queue = openQueue<string>(server.queue('jobs'));
  await queue.sendBatch(paths.map((path) => ({ body: workplace.url(path) })));
}

/** What the queue holds: where its messages lead, and how they stand. */
const left = (): readonly string[] =>
  broker
    .inspect('jobs')
    .messages.map(({ body, state }) => `${state} ${new URL(String(body)).pathname}`)
    .toSorted();

const named = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${name}/${String(index).padStart(2, '0')}`);

describe('the service of docs/deploys.md', () => {
  it('is found', () => {
    expect(recipe).toContain("process.once('SIGTERM'");
  });

  it('ends in time, with what is finished acknowledged and the rest to be had at once', async () => {
    await push(...named('quick', 5), ...named('slow', 5), ...named('endless', 40));
    const worker = await start(recipe);
    // All handlers are at work: the quick ones have made way for others.
    await workplace.hasBegun(25);
    const response = await worker.probe();
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ isHealthy: true, consumers: [{ status: 'open', inFlight: 20 }] });
    const { exitCode, killedBy, printed } = await worker.stop('SIGTERM', () => workplace.finish());
    expect({ exitCode, killedBy }).toEqual({ exitCode: 0, killedBy: null });
    expect(printed).toBe("{ reason: 'aborted', acked: 10, abandoned: 0 }\n");
    expect(left()).toEqual(named('endless', 40).map((path) => `ready /${path}`));
  }, 30_000);

  it('ends in time although its handlers heed no signal', async () => {
    await push(...named('slow', 2), ...named('endless', 8));
    const code = recipe.replace(', signal });', ' });');
    expect(code).not.toBe(recipe);
    const worker = await start(code);
    await workplace.hasBegun(10);
    const { exitCode, killedBy, printed } = await worker.stop('SIGINT', () => workplace.finish());
    expect({ exitCode, killedBy }).toEqual({ exitCode: 0, killedBy: null });
    expect(printed).toBe("{ reason: 'aborted', acked: 2, abandoned: 8 }\n");
    expect(left()).toEqual(named('endless', 8).map((path) => `ready /${path}`));
  }, 30_000);

  it('ends at once when nothing is in hand', async () => {
    await push('quick/0');
    const worker = await start(recipe);
    await workplace.hasBegun(1);
    const { exitCode, printed } = await worker.stop();
    expect({ exitCode, printed }).toEqual({ exitCode: 0, printed: "{ reason: 'aborted', acked: 1, abandoned: 0 }\n" });
    expect(broker.isEmpty('jobs')).toBe(true);
  }, 30_000);

  it('exits with 1 when trying again can not help', async () => {
    const code = recipe
      .replace('openQueue({', "openQueue({ apiToken: 'wrong',")
      .replace(
        "from 'node:http';",
        "$&\nprocess.on('uncaughtException', (error) => { console.log(error.code); process.exit(1); });",
      );
    const worker = await start(code);
    const { exitCode, printed } = await worker.stop('SIGCONT');
    expect({ exitCode, printed }).toEqual({ exitCode: 1, printed: 'unauthorized\n' });
  }, 30_000);
});
