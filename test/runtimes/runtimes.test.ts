import { cp, mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BrokerServer, createBroker } from '../../src/broker.ts';
import { type PackedPackage, packPackage, root, run } from '../package/packed-package.ts';
import { listen } from '../proxies/listen.ts';
import { checks } from './program.mjs';
import { listenForgetful } from './forgetful.ts';
import { listenRefusing, trusted } from './refusing.ts';
import { RuntimesPage } from './runtimes-page.ts';
import { browser, bun, deno, installRuntimes, node, type Job, type Runtime, trustedFile, workerd } from './runtimes.ts';

// docs/runtimes.md says what the library does on each runtime: it is held to what it did. With WRITE_DOCS=1 it is written.

const rolldown = join(root, 'node_modules/rolldown/bin/cli.mjs');
const rows = Object.keys(checks);
/** For so long it is watched whether a refusal ends a loop at once. */
const forMs = 1_000;
/** The folder of the program that asks over Node's wire. */
const nodeWire = 'node-wire';
const page = new RuntimesPage(join(root, 'docs/runtimes.md'));

let packed: PackedPackage;
let site: BrokerServer;

beforeAll(async () => {
  await installRuntimes();
  packed = await packPackage();
  for (const file of ['program.mjs', 'main.mjs', 'worker.mjs']) {
    await cp(join(import.meta.dirname, file), join(packed.user, file));
  }
  await mkdir(join(packed.user, nodeWire));
  await cp(join(import.meta.dirname, 'node-wire.mjs'), join(packed.user, nodeWire, 'main.mjs'));
  await writeFile(join(packed.user, trustedFile), trusted);
  for (const name of ['worker', 'program']) {
    // Not what opens sockets and files, which neither asks for.
    const external = ['./http/listen.js', './level-store.js'].flatMap((module) => ['--external', module]);
    const bundle = ['--file', `${name}.bundle.mjs`, '--platform', 'browser', '--no-codeSplitting'];
    await run(process.execPath, [rolldown, '--input', `${name}.mjs`, ...bundle, ...external], packed.user);
  }
  const html = { headers: { 'content-type': 'text/html' } };
  site = await createBroker().listen({ intercept: async () => new Response('', html) });
}, 300_000);

afterAll(async () => {
  await site.close();
  await packed[Symbol.asyncDispose]();
  page.write();
});

const origin = (): string => new URL(site.baseUrl).origin;

interface Row {
  readonly name: string;
  readonly runtime: () => Runtime;
  /** As it is where it permits nothing, if it can be told that. */
  readonly forbidden?: () => Runtime;
}

const runtimes: readonly Row[] = [
  { name: 'Node 20', runtime: () => node(20) },
  { name: 'Node 22', runtime: () => node(22) },
  { name: 'Node 24', runtime: () => node(24) },
  { name: 'Node 26', runtime: () => node(26), forbidden: () => node(26, '--permission', '--allow-fs-read=*') },
  { name: 'Bun', runtime: () => bun },
  { name: 'Deno', runtime: () => deno('--allow-net'), forbidden: () => deno() },
  { name: 'workerd', runtime: () => workerd },
  { name: 'Chromium', runtime: () => browser(origin()) },
];

/** Whether what a service reads is what the library sent, also where the connection ends before the answer. */
async function repeatsNone(runtime: Runtime): Promise<boolean> {
  await using service = await listenForgetful();
  const { made } = await runtime(packed.user, { sends: { connection: service.connection, count: 8 } });
  expect(service.read()).toBeGreaterThan(8);
  return service.read() === Number(made);
}

describe.each(runtimes)('on $name', ({ name, runtime, forbidden }) => {
  it('the library does all that it should, and ends by itself', async () => {
    await using server = await createBroker().listen({ allowedOrigins: [origin()] });
    const connections = rows.flatMap((_, nth) => [server.queue(`jobs-${nth}`), server.queue(`others-${nth}`)]);
    const wrong = await runtime()(packed.user, { connections });
    expect(wrong).toEqual({});
    const outcomes = Object.fromEntries(rows.map((row) => [row, row in wrong ? 'no' : 'yes']));
    outcomes['repeats no request by itself'] = (await repeatsNone(runtime())) ? 'yes' : 'no';
    expect(page.told('What was tried', name, outcomes)).toEqual(outcomes);
  }, 90_000);

  it('what is refused has the code that the page says', async () => {
    await using refusing = await listenRefusing();
    const { addresses } = refusing;
    const codes = await runtime()(packed.user, { addresses, forMs });
    const permitted = 'a host that refuses to connect';
    const job = { addresses: { [permitted]: addresses[permitted] }, forMs } as Job;
    const { [permitted]: code = '' } = forbidden === undefined ? {} : await forbidden()(packed.user, job);
    const outcomes = { ...codes, 'no permission to use the network': code };
    expect(page.told('What is refused', name, outcomes)).toEqual(outcomes);
  }, 90_000);
});

describe('the wire of Node', () => {
  it.each(runtimes.filter(({ name }) => /^(Node|Bun|Deno)/.test(name)))(
    'reads whole answers on $name',
    async ({ runtime }) => {
      const server = createServer((request, response) => {
        request.resume();
        response.end('é'.repeat(Number(request.url?.slice(1))));
      });
      const url = `http://127.0.0.1:${await listen(server)}`;
      const outcomes = await runtime()(join(packed.user, nodeWire), { url });
      expect(Object.entries(outcomes).filter(([, outcome]) => outcome !== 'whole')).toEqual([]);
      expect(Object.keys(outcomes)).toHaveLength(15);
      server.closeAllConnections();
      server.close();
    },
    90_000,
  );
});

describe('in a page', () => {
  it('the broker is out of reach unless it was told of the origin', async () => {
    await using server = await createBroker().listen();
    const job = { addresses: { here: server.queue('jobs') }, forMs };
    expect(await browser(origin())(packed.user, job)).toEqual({ here: 'network, again' });
  }, 90_000);
});
