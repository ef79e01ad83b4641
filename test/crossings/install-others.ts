import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const directory = join(import.meta.dirname, 'packages');
const modules = join(directory, 'node_modules');

/** A newer Node than the library needs, which some of the others do. */
export const newerNode: string = join(modules, '.bin/node');

/** Installs what the crossings need beside this file, unless it is there. */
export async function installOthers(): Promise<void> {
  if (existsSync(join(modules, '.bin/vitest')) && existsSync(newerNode)) return;
  await promisify(execFile)('npm', ['ci', '--no-audit', '--no-fund'], { cwd: directory });
}
