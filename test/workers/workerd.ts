import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '../..');
const directory = join(import.meta.dirname, 'miniflare');
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
export async function installWorkerd(): Promise<void> {
  if (existsSync(join(directory, 'node_modules/miniflare'))) return;
  await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: directory });
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
    compatibilityDate: '2026-04-01',
    // Past miniflare's own Worker, which goes on for who has left.
    unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
    ...options,
  });
  const url = await miniflare.unsafeGetDirectURL();
  return {
    url,
    ask: async (path, init) => {
      const response = await fetch(new URL(path, url), init);
      return { status: response.status, text: await response.text() };
    },
    [Symbol.asyncDispose]: () => miniflare.dispose(),
  };
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
