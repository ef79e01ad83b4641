import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type BuiltPackage, buildPackage } from '../end-to-end/built-package.ts';

/** The command line as it is shipped: compiled, and run by plain Node. */
export class BuiltCli {
  readonly #built: BuiltPackage;

  private constructor(built: BuiltPackage) {
    this.#built = built;
  }

  static async build(): Promise<BuiltCli> {
    return new BuiltCli(await buildPackage());
  }

  /** What a shell runs it by. */
  get commandLine(): string {
    return `${process.execPath} ${this.#built.module('cli/main')}`;
  }

  spawn(parameters: readonly string[], environment: Readonly<Record<string, string>> = {}): ChildProcess {
    return spawn(process.execPath, [this.#built.module('cli/main'), ...parameters], {
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
    await this.#built[Symbol.asyncDispose]();
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
