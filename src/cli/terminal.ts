import type { Clock } from '../contract/clock.ts';
import { delay } from '../contract/delay.ts';

/** Where a command's output goes: a stream of the process, or a test's collector. */
export interface Output {
  /** Calls back once the text is on its way. */
  write(text: string, done?: (error?: Error | null) => void): unknown;
  readonly isTTY?: boolean;
}

/** What a command has of the process it runs in. */
export interface Terminal {
  readonly stdin: AsyncIterable<string | Uint8Array>;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborts when the user or the system asks the process to end. */
  readonly signal: AbortSignal;
  /** What leases are timed by. @defaultValue the machine's */
  readonly clock?: Clock;
}

// How long what is being written may take after an interrupt, in milliseconds: who reads may have stopped.
const graceMs = 1_000;

/** Writes to standard output, and waits until it has been taken: what is acknowledged must not be lost in a pipe. */
export async function write({ stdout }: Terminal, text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    stdout.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

/** As `write()`, given up a while after the interrupt: what is not written by then may never be. @throws Interrupted */
export async function writeWhile(terminal: Terminal, text: string, clock: Clock): Promise<void> {
  const { signal } = terminal;
  const over = new AbortController();
  const givenUp = new Promise<never>((_, reject) => {
    const wait = (): void =>
      void delay(over.signal, clock, graceMs).then(
        () => reject(new Interrupted()),
        () => undefined,
      );
    if (signal.aborted) wait();
    else signal.addEventListener('abort', wait, { once: true, signal: over.signal });
  });
  try {
    await Promise.race([write(terminal, text), givenUp]);
  } finally {
    over.abort();
  }
}

/** The terminal of this process. A first SIGINT or SIGTERM aborts its signal, a second one ends the process. */
export function processTerminal(): Terminal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort(new Interrupted()));
  const { stdin, stdout, stderr, env } = process;
  return { stdin, stdout, stderr, environment: env, signal: controller.signal };
}

/** The reason of a signal that the user gave. */
export class Interrupted extends Error {
  override readonly name = 'AbortError';

  constructor() {
    super('Interrupted');
  }
}
