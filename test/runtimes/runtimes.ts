import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import type { QueueConnection } from '../../src/broker.ts';
import { installLocked } from '../package/install-locked.ts';

const packages = join(import.meta.dirname, 'packages');
const modules = join(packages, 'node_modules');
const isArm = process.arch === 'arm64';

/** What a runtime is told to do: see `program.mjs`, and `node-wire.mjs` for the one with a `url`. */
export type Job =
  | { readonly url: string }
  | { readonly connections: readonly QueueConnection[] }
  | { readonly addresses: Readonly<Record<string, QueueConnection>>; readonly forMs: number }
  | { readonly sends: { readonly connection: QueueConnection; readonly count: number } };

/** What came of it, by name. */
export type Outcomes = Readonly<Record<string, string>>;

/** Does a job in the folder where it was prepared. */
export type Runtime = (directory: string, job: Job) => Promise<Outcomes>;

/** In the folder: the certificates that are trusted beside those of the runtime. */
export const trustedFile = 'trusted.pem';

/** Installs the runtimes beside this file, unless they are there. */
export const installRuntimes = (): Promise<void> => installLocked(packages);

export function nodeBinary(version: number): string {
  return join(modules, `node-${version}-linux-${isArm ? 'arm64' : 'x64'}/bin/node`);
}

/** One of Node, with parameters of its own. */
export function node(version: number, ...parameters: readonly string[]): Runtime {
  return onCommandLine(nodeBinary(version), parameters);
}

export const bun: Runtime = onCommandLine(join(modules, `@oven/bun-linux-${isArm ? 'aarch64' : 'x64'}/bin/bun`), [
  'run',
]);

/** Deno, which may do what it is given leave to. */
export function deno(...permissions: readonly string[]): Runtime {
  const binary = join(modules, `@deno/linux-${isArm ? 'arm64' : 'x64'}-glibc/deno`);
  return onCommandLine(binary, [
    'run',
    '--quiet',
    '--no-prompt',
    '--no-lock',
    '--node-modules-dir=manual',
    ...permissions,
  ]);
}

/** Rejects when the process has not ended by itself in time, or failed. */
function onCommandLine(binary: string, parameters: readonly string[]): Runtime {
  return async (directory, job) => {
    const trusted = join(directory, trustedFile);
    const env = { HOME: directory, NODE_EXTRA_CA_CERTS: trusted, DENO_CERT: trusted };
    const all = [...parameters, join(directory, 'main.mjs'), JSON.stringify(job)];
    const { stdout } = await promisify(execFile)(binary, all, { cwd: directory, env, timeout: 60_000 });
    return JSON.parse(stdout) as Outcomes;
  };
}

const worker = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (modules = [(name = "main", esModule = embed "worker.bundle.mjs")], compatibilityDate = "2026-01-01")),
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true)))
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);
`;

export const workerd: Runtime = async (directory, job) => {
  const binary = join(modules, `@cloudflare/workerd-linux-${isArm ? 'arm64' : '64'}/bin/workerd`);
  await writeFile(join(directory, 'worker.capnp'), worker);
  const process = spawn(binary, ['serve', 'worker.capnp', '--control-fd=1'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    for await (const line of createInterface(process.stdout)) {
      const { port } = JSON.parse(line) as { port: number };
      const response = await fetch(`http://127.0.0.1:${port}`, { method: 'POST', body: JSON.stringify(job) });
      const text = await response.text();
      if (!response.ok) throw new Error(text);
      return JSON.parse(text) as Outcomes;
    }
    throw new Error('workerd did not start');
  } finally {
    process.kill();
  }
};

// Debian's Chromium, which .ci/run installs; CHROMIUM names another one.
const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** @param origin - where the page is, which has nothing on it */
export function browser(origin: string): Runtime {
  return async (directory, job) => {
    const profile = await mkdtemp(join(tmpdir(), 'leasestream-chromium-'));
    const context = await chromium.launchPersistentContext(profile, {
      executablePath,
      headless: true,
      args: ['--no-sandbox'],
    });
    try {
      const page = await context.newPage();
      await page.goto(origin);
      const code = JSON.stringify(await readFile(join(directory, 'program.bundle.mjs'), 'utf8'));
      // As text, since what vitest makes of an import() is none of the page's.
      const program = `import(URL.createObjectURL(new Blob([${code}], { type: 'text/javascript' })))`;
      return await page.evaluate(`${program}.then(({ perform }) => perform(${JSON.stringify(job)}))`);
    } finally {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    }
  };
}
