import { join } from 'node:path';
import { installLocked } from '../package/install-locked.ts';

const directory = join(import.meta.dirname, 'packages');

/** A newer Node than the library needs, which some of the others do. */
export const newerNode: string = join(directory, 'node_modules/.bin/node');

/** Installs what the crossings need beside this file, unless it is there. */
export function installOthers(): Promise<void> {
  return installLocked(directory, { runsScripts: true });
}
