import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installLocked } from '../package/install-locked.ts';

const root = join(import.meta.dirname, '../..');
const directory = join(import.meta.dirname, 'miniflare');
const compatibilityDate = '2026-04-01';
const run = promisify(execFile);

/** What miniflare is asked for, as far as the tests do. */
export interface WorkerOptions {
  readonly name?: string;
  readonly bindings?: Readonly<Record<string, unknown>>;
  readonly queueProducers?: Readonly<Record<string, string>>;
  readonly queueConsumers?: Readonly<Record<string, QueueConsumer>>;
}

/** How the platform pushes batches to a Worker. */
export interface QueueConsumer {
  readonly maxBatchSize?: number;
  /** In seconds. */
  readonly maxBatchTimeout?: number;
  readonly maxRetries?: number;
  readonly deadLetterQueue?: string;
  readonly retryDelay?: number;
}

interface Miniflare {
  unsafeGetDirectURL(): Promise<URL>;
  dispose(): Promise<void>;
}

/** A Worker that runs in workerd. */
export interface RunningWorker extends AsyncDisposable {
  readonly url: URL;
  /** Calls its `fetch`, and gives the text of the answer. */
  ask(path: string, init?: RequestInit): Promise<{ readonly status: number; readonly text: string }>;
}

/** Installs miniflare beside this file, unless it is there. */
export function installWorkerd(): Promise<void> {
  return installLocked(directory, { runsScripts: true });
}

/** Runs a Worker of this folder, bundled with the library, in workerd. */
export async function startWorker(file: string, options: WorkerOptions = {}): Promise<RunningWorker> {
  const script = await bundle(join(import.meta.dirname, file));
  const { Miniflare } = createRequire(join(directory, 'package.json'))('miniflare') as {
    Miniflare: new (options: object) => Miniflare;
  };
  const miniflare = new Miniflare({
    modules: [{ type: 'ESModule', path: 'worker.mjs', contents: script }],
    modulesRoot: '/',
    compatibilityDate,
    // Past miniflare's own Worker, which goes on for who has left.
    unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
    ...options,
  });
  const url = await miniflare.unsafeGetDirectURL();
  return {
    url,
    ask: (path, init) => ask(url, path, init),
    [Symbol.asyncDispose]: () => miniflare.dispose(),
  };
}

/**
 * Runs a Worker whose queue binding `JOBS` sends to an HTTP server in place of the platform, in workerd alone.
 *
 * @param port - of that server
 */
export async function startBoundWorker(file: string, port: number): Promise<RunningWorker> {
  const temporary = await mkdtemp(join(tmpdir(), 'leasestream-bound-'));
  const binary = (createRequire(join(directory, 'package.json'))('workerd') as { readonly default: string }).default;
  await writeFile(join(temporary, 'worker.mjs'), await bundle(join(import.meta.dirname, file)));
  await writeFile(join(temporary, 'config.capnp'), boundConfig(port));
  const child = spawn(binary, ['serve', 'config.capnp', '--control-fd=3'], {
    cwd: temporary,
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  const [line] = (await once(child.stdio[3] as NodeJS.ReadableStream, 'data')) as [Buffer];
  const { port: listening } = JSON.parse(line.toString('utf8').split('\n')[0] ?? '') as { readonly port: number };
  const url = new URL(`http://127.0.0.1:${listening}`);
  return {
    url,
    ask: (path, init) => ask(url, path, init),
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await once(child, 'exit');
      await rm(temporary, { recursive: true, force: true });
    },
  };
}

function boundConfig(port: number): string {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ( name = "main",
      worker = (
        modules = [ (name = "worker.mjs", esModule = embed "worker.mjs") ],
        compatibilityDate = "${compatibilityDate}",
        bindings = [ (name = "JOBS", queue = "jobs") ],
      ) ),
    ( name = "jobs", external = (address = "127.0.0.1:${port}", http = ()) ),
  ],
  sockets = [ (name = "http", address = "127.0.0.1:0", http = (), service = "main") ],
);
`;
}

async function ask(
  url: URL,
  path: string,
  init?: RequestInit,
): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(new URL(path, url), init);
  return { status: response.status, text: await response.text() };
}

/** The bundler comes with vitest. */
async function bundle(input: string): Promise<string> {
  const temporary = await mkdtemp(join(tmpdir(), 'leasestream-worker-'));
  const config = join(temporary, 'rolldown.config.mjs');
  const alias = {
    '#wire': join(root, 'src/transports/cloudflare/fetch-wire.ts'),
    'leasestream/workers': join(root, 'src/workers.ts'),
    'leasestream/web': join(root, 'src/web.ts'),
    leasestream: join(root, 'src/index.ts'),
  };
  const bundled = { input, platform: 'browser', external: ['cloudflare:workers'], resolve: { alias } };
  try {
    await writeFile(
      config,
      `export default ${JSON.stringify({ ...bundled, output: { file: join(temporary, 'worker.mjs') } })};`,
    );
    await run(process.execPath, [join(root, 'node_modules/rolldown/bin/cli.mjs'), '-c', config], { cwd: root });
    return await readFile(join(temporary, 'worker.mjs'), 'utf8');
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
