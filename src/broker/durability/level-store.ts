import type * as classicLevel from 'classic-level';
import type { KeyValueStore } from './key-value-store.ts';

/**
 * Opens a LevelDB database in a directory, made if it is absent, by the package `classic-level`: an optional peer, loaded
 * here and nowhere else. Every write is synced (`fdatasync`) before it resolves.
 *
 * @throws Error when the package is not installed, or another process has the directory open
 */
export async function openLevelStore(directory: string): Promise<KeyValueStore> {
  const { ClassicLevel } = await load();
  const level = new ClassicLevel<string, string>(directory, { keyEncoding: 'utf8', valueEncoding: 'utf8' });
  try {
    await level.open();
  } catch (error) {
    throw new Error(`Cannot open ${directory}: ${reasonOf(error)}`, { cause: error });
  }
  return {
    entries: () => level.iterator(),
    write: (changes) =>
      level.batch(
        changes.map(([key, value]) => (value === undefined ? { type: 'del', key } : { type: 'put', key, value })),
        { sync: true },
      ),
    close: () => level.close(),
  };
}

async function load(): Promise<typeof classicLevel> {
  try {
    return await import('classic-level');
  } catch (cause) {
    throw new Error('A durable broker needs the package classic-level: npm install classic-level', { cause });
  }
}

function reasonOf(error: unknown): string {
  const { cause = error } = error as { readonly cause?: unknown };
  const { code, message } = cause as { readonly code?: unknown; readonly message?: unknown };
  return code === 'LEVEL_LOCKED' ? 'another process has it open' : String(message);
}
