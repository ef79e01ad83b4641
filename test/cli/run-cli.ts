import { runCommandLine } from '../../src/cli/run.ts';
import type { Output, Terminal } from '../../src/cli/terminal.ts';
import type { BrokerServer } from '../../src/broker.ts';
import type { Clock } from '../../src/index.ts';

/** What a command did. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The lines of standard output as JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any[];
}

export interface RunSettings {
  readonly stdin?: string | AsyncIterable<Uint8Array>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly isTTY?: boolean;
  /** Is told of each text as it is written. */
  readonly onOutput?: (text: string) => void;
  /** What every write to standard output fails with. */
  readonly outputError?: Error;
  /** When each text has been taken by whoever reads standard output. @defaultValue at once */
  readonly taken?: Promise<void>;
  /** @defaultValue the machine's */
  readonly clock?: Clock;
}

class Collector implements Output {
  text = '';
  readonly isTTY: boolean;
  readonly #settings: Pick<RunSettings, 'onOutput' | 'outputError' | 'taken'>;

  constructor(isTTY: boolean, settings: Pick<RunSettings, 'onOutput' | 'outputError' | 'taken'> = {}) {
    this.isTTY = isTTY;
    this.#settings = settings;
  }

  write(text: string, done?: (error?: Error | null) => void): void {
    const { onOutput, outputError, taken } = this.#settings;
    if (outputError === undefined) this.text += text;
    onOutput?.(text);
    if (taken === undefined) done?.(outputError);
    else void callAfter(taken, () => done?.(outputError));
  }
}

async function callAfter(taken: Promise<void>, done: () => void): Promise<void> {
  await taken;
  done();
}

async function* chunksOf(text: string): AsyncGenerator<Uint8Array, void, undefined> {
  const bytes = new TextEncoder().encode(text);
  // Pieces that end within a character and within a line.
  for (let start = 0; start < bytes.length; start += 7) yield bytes.subarray(start, start + 7);
}

/** Runs the command line within the process. */
export async function runCli(parameters: readonly string[], settings: RunSettings = {}): Promise<Ran> {
  const { stdin = '', environment = {}, signal = new AbortController().signal, isTTY = false, clock } = settings;
  const stdout = new Collector(isTTY, settings);
  const stderr = new Collector(isTTY);
  const terminal: Terminal = {
    stdin: typeof stdin === 'string' ? chunksOf(stdin) : stdin,
    stdout,
    stderr,
    environment,
    signal,
    ...(clock === undefined ? {} : { clock }),
  };
  const code = await runCommandLine(parameters, terminal);
  const lines = stdout.text.split('\n').filter((line) => line.startsWith('{'));
  const json = lines.map((line): unknown => {
    try {
      return JSON.parse(line);
    } catch {
      return undefined;
    }
  });
  return { code, stdout: stdout.text, stderr: stderr.text, json };
}

/** The environment of a client of the server. */
export function environmentOf(server: BrokerServer): Record<string, string> {
  return {
    CLOUDFLARE_BASE_URL: server.baseUrl,
    CLOUDFLARE_ACCOUNT_ID: server.accountId,
    CLOUDFLARE_API_TOKEN: server.apiToken,
  };
}
