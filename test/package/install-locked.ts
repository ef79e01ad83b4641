import { execFile } from 'node:child_process';
import { open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

/**
 * Installs what the lock file of a folder has, unless it is there. Several test files may ask for it at once.
 *
 * @param options.runsScripts - whether its packages do what they want to when they are installed: some fetch their binary
 */
export async function installLocked(
  directory: string,
  { runsScripts = false }: { readonly runsScripts?: boolean } = {},
): Promise<void> {
  const turn = join(directory, 'node_modules.turn');
  while (!(await takeTurn(turn))) await delay(250);
  try {
    if (await isInstalled(directory)) return;
    const scripts = runsScripts ? [] : ['--ignore-scripts'];
    await promisify(execFile)('npm', ['ci', ...scripts, '--no-audit', '--no-fund'], { cwd: directory });
  } finally {
    await rm(turn, { force: true });
  }
}

/** What npm writes last is not older than what it was told. */
async function isInstalled(directory: string): Promise<boolean> {
  const ageOf = async (path: string): Promise<number> => (await stat(join(directory, path))).mtimeMs;
  try {
    return (await ageOf('node_modules/.package-lock.json')) >= (await ageOf('package-lock.json'));
  } catch {
    return false;
  }
}

/** Writes who is at work, unless somebody is. */
async function takeTurn(file: string): Promise<boolean> {
  try {
    await using handle = await open(file, 'wx');
    await handle.writeFile(String(process.pid));
    return true;
  } catch {
    // Whoever was ended in the midst of it does not come back.
    if (!isAlive(Number(await readFile(file, 'utf8').catch(() => process.pid)))) await rm(file, { force: true });
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    // A file that is not written yet.
    return pid === 0 || process.kill(pid, 0);
  } catch {
    return false;
  }
}
