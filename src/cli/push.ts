import { Command } from 'commander';
import type { EncodedBody } from '../contract/body.ts';
import { QueueError } from '../contract/errors.ts';
import type { Queue } from '../queue/queue.ts';
import { addConnectionFlags, Connection, type ConnectionFlags } from './connection.ts';
import { parseSeconds } from './duration.ts';
import { exitCodes, InputError } from './exit-codes.ts';
import { openInput } from './input.ts';
import { Progress } from './progress.ts';
import { parseLine, readLines, withPauses } from './read-lines.ts';
import { Interrupted, type Terminal, write } from './terminal.ts';

interface PushFlags extends ConnectionFlags {
  readonly delay?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

// Lines in one go: ten full requests, so that several are under way at once.
const batchLines = 1_000;

/** How long lines wait for more to be pushed with, in milliseconds: who writes them may take its time. */
const pauseMs = 250;

const help = `
Each line of FILE (or of standard input, without FILE or with "-") is one message: a JSON string is pushed as text,
any other JSON as it stands, digit for digit. Blank lines are passed over. A line that is not JSON, or not
UTF-8, ends it, and those before it are pushed. FILE is read once, and may be a pipe.

Examples:
  $ leasestream push jobs jobs.ndjson
  $ echo '{"id":1}' | leasestream push jobs --delay 5m
`;

/** `leasestream push QUEUE [FILE]` */
export function pushCommand(terminal: Terminal, exit: (code: number) => void): Command {
  return addConnectionFlags(new Command('push'))
    .description('push newline-delimited JSON, from a file or standard input')
    .argument('<queue>', 'its name, or its id')
    .argument('[file]', 'what to push; "-" for standard input', '-')
    .option('--delay <duration>', 'keep the messages invisible for so long: 30s, 5m, at most 24h', parseSeconds)
    .option('--json', 'print what happened as one line of JSON')
    .option('--quiet', 'show no progress')
    .addHelpText('after', help)
    .action(async (name: string, file: string, flags: PushFlags) => {
      const connection = new Connection(flags, terminal);
      const queue = connection.open(await connection.find(name, terminal.signal));
      const input = await openInput(file, terminal);
      const progress = flags.quiet === true ? undefined : new Progress(terminal.stderr, 'pushed');
      let outcome: PushOutcome;
      try {
        const total = await (progress && input.countLines());
        if (total !== undefined) progress?.expect(total);
        const lines = readLines(withPauses<string | Uint8Array>(input.chunks, pauseMs, terminal.signal));
        outcome = await pushLines(queue, lines, { ...flags, signal: terminal.signal, progress });
      } finally {
        input.close();
      }
      await write(
        terminal,
        flags.json === true ? `${JSON.stringify(report(outcome))}\n` : `${outcome.pushed} pushed\n`,
      );
      if (outcome.error !== undefined) throw outcome.error;
      exit(exitCodes.done);
    });
}

interface PushOptions {
  readonly delay?: number;
  readonly signal: AbortSignal;
  readonly progress: Progress | undefined;
}

interface PushOutcome {
  /** Messages that the service confirmed. Where `error` is the service's, some more may have been pushed. */
  readonly pushed: number;
  readonly error?: Error;
}

/** @param lines - `undefined` where no more has come for a while */
async function pushLines(
  queue: Queue,
  lines: AsyncIterable<string | undefined>,
  options: PushOptions,
): Promise<PushOutcome> {
  let pushed = 0;
  let lineNumber = 0;
  let batch: EncodedBody[] = [];
  const flush = async (): Promise<void> => {
    const messages = batch.map((body) => ({ body }));
    batch = [];
    // The interrupt ends it between batches, so that what is counted is what was pushed.
    await queue.sendBatch(messages, options.delay === undefined ? {} : { delaySeconds: options.delay });
    pushed += messages.length;
    options.progress?.show(pushed);
    if (options.signal.aborted) throw new Interrupted();
  };
  try {
    try {
      for await (const line of lines) {
        if (line === undefined) {
          if (batch.length > 0) await flush();
          continue;
        }
        lineNumber += 1;
        const body = parseLine(line, lineNumber);
        if (body !== undefined) batch.push(body);
        if (batch.length >= batchLines) await flush();
      }
    } catch (error) {
      if (error instanceof InputError || error instanceof Interrupted) await flush();
      throw error;
    }
    await flush();
    return { pushed };
  } catch (error) {
    return { pushed, error: error instanceof Error ? error : new Error('The push failed', { cause: error }) };
  } finally {
    options.progress?.end();
  }
}

function report({ pushed, error }: PushOutcome): Readonly<Record<string, unknown>> {
  if (error === undefined) return { pushed };
  return { pushed, error: error.message, ...(error instanceof QueueError ? { code: error.code } : {}) };
}
