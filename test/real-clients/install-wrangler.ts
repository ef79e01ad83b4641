import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrokerServer } from '../../src/broker.ts';
import { installLocked } from '../package/install-locked.ts';

const directory = join(import.meta.dirname, 'wrangler');
const modules = join(directory, 'node_modules');

/** What a program printed, and its exit code. */
export interface Printed {
  readonly code: number;
  readonly output: string;
}

/** Installs wrangler, and the newer Node that it needs, beside this file, unless they are there. */
export function installWrangler(): Promise<void> {
  return installLocked(directory, { runsScripts: true });
}

/** Runs wrangler against a broker. */
export async function wrangler(server: BrokerServer, ...parameters: readonly string[]): Promise<Printed> {
  const home = await mkdtemp(join(tmpdir(), 'leasestream-wrangler-'));
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    CI: '1',
    NO_COLOR: '1',
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_LOG_SANITIZE: 'true',
    CLOUDFLARE_API_BASE_URL: server.baseUrl,
    CLOUDFLARE_ACCOUNT_ID: server.accountId,
    CLOUDFLARE_API_TOKEN: server.apiToken,
  };
  try {
    const program = [join(modules, 'wrangler/bin/wrangler.js'), ...parameters];
    return await new Promise<Printed>((resolve) => {
      execFile(join(modules, '.bin/node'), program, { cwd: home, env }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr }),
      );
    });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
