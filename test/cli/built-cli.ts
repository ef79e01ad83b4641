import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '../..');

/** The command line as it is shipped: compiled, and run by plain Node. */
export class BuiltCli {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Compiles the sources, within the project so that packages are found. */
  static async build(): Promise<BuiltCli> {
    const directory = await mkdtemp(join(root, '.tmp-cli-'));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const parameters = [tsc, '-p', 'tsconfig.build.json', '--outDir', directory];
    await promisify(execFile)(process.execPath, parameters, { cwd: root });
    return new BuiltCli(directory);
  }

  /** What a shell runs it by. */
  get commandLine(): string {
    return `${process.execPath} ${join(this.#directory, 'cli/main.js')}`;
  }

  spawn(parameters: readonly string[], environment: Readonly<Record<string, string>> = {}): ChildProcess {
    const main = join(this.#directory, 'cli/main.js');
    return spawn(process.execPath, [main, ...parameters], {
      env: { PATH: process.env['PATH'], ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  }

  /** Starts `serve`, and gives what it prints with `--json` once it listens. */
  async serve(parameters: readonly string[]): Promise<ServingProcess> {
    const child = this.spawn(['serve', '--port', '0', '--json', ...parameters]);
    let errors = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text));
    if (child.stdout === null) throw new Error('no output');
    for await (const line of createInterface(child.stdout)) {
      return { child, ...(JSON.parse(line) as Omit<ServingProcess, 'child'>) };
    }
    throw new Error(`serve ended: ${errors}`);
  }

  async remove(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** A process that serves. */
export interface ServingProcess {
  readonly child: ChildProcess;
  readonly baseUrl: string;
  readonly accountId: string;
  readonly apiToken: string;
  readonly queues: readonly { readonly name: string; readonly id: string }[];
}

/** Ends a process by a signal. Gives its exit code; `null` when the signal ended it. */
export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  const exited = once(child, 'exit') as Promise<[number | null]>;
  child.kill(signal);
  const [code] = await exited;
  return code;
}
