import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Mutant, plant } from './mutant.ts';

/** What a sandbox does not copy of the project, besides what is hidden. */
const left: ReadonlySet<string> = new Set(['node_modules', 'dist', 'coverage']);

/** A copy of the project in a temporary folder, with at most one mutant in it at a time. */
export class Sandbox implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async open(root: string): Promise<Sandbox> {
    const folder = await mkdtemp(join(tmpdir(), 'leasestream-mutants-'));
    const copied = (await readdir(root)).filter((path) => !path.startsWith('.') && !left.has(path));
    await Promise.all(copied.map((path) => cp(join(root, path), join(folder, path), { recursive: true })));
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction');
    return new Sandbox(folder);
  }

  /** Plants a mutant for as long as something runs. */
  async with<Result>(mutant: Mutant, run: () => Promise<Result>): Promise<Result> {
    const path = join(this.folder, mutant.file);
    const source = await readFile(path, 'utf8');
    await writeFile(path, plant(source, mutant));
    try {
      return await run();
    } finally {
      await writeFile(path, source);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
