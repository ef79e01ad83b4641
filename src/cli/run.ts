import { Command, CommanderError } from 'commander';
import { QueueError } from '../contract/errors.ts';
import { exitCodeHelp, exitCodes, InputError } from './exit-codes.ts';
import { pullCommand } from './pull.ts';
import { pushCommand } from './push.ts';
import { redriveCommand } from './redrive.ts';
import { serveCommand } from './serve.ts';
import { statsCommand } from './stats.ts';
import { tailCommand } from './tail.ts';
import { Interrupted, type Terminal } from './terminal.ts';

const help = `
Every command but serve talks to Cloudflare, or to what \`leasestream serve\` runs, by the same variables:
  CLOUDFLARE_ACCOUNT_ID, CLOUDFLARE_API_TOKEN (or CLOUDFLARE_EMAIL and CLOUDFLARE_API_KEY), CLOUDFLARE_BASE_URL

Examples:
  $ leasestream serve --queue jobs
  $ leasestream push jobs jobs.ndjson
  $ leasestream help redrive
`;

const commands = [serveCommand, pushCommand, pullCommand, tailCommand, statsCommand, redriveCommand];

/**
 * Runs the command line.
 *
 * @param parameters - what follows the name of the program
 * @returns the exit code
 */
export async function runCommandLine(parameters: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode: number = exitCodes.done;
  const exit = (code: number): void => {
    exitCode = code;
  };
  const program = new Command('leasestream').description('Cloudflare Queues on the command line, and a local broker');
  const all = [program, ...commands.map((make) => make(terminal, exit))];
  for (const command of all) {
    command
      .exitOverride()
      .showHelpAfterError('(--help says more)')
      .configureOutput({
        writeOut: (text) => void terminal.stdout.write(text),
        writeErr: (text) => void terminal.stderr.write(text),
      });
    if (command !== program) program.addCommand(command.addHelpText('after', exitCodeHelp));
  }
  program.addHelpText('after', help + exitCodeHelp);
  try {
    await program.parseAsync([...parameters], { from: 'user' });
    return exitCode;
  } catch (error) {
    return exitCodeOf(error, terminal);
  }
}

function exitCodeOf(error: unknown, { stderr, signal }: Terminal): number {
  if (error instanceof CommanderError) {
    // It has told what is wrong itself; asked for help, it exits with 0.
    return error.exitCode === 0 ? exitCodes.done : exitCodes.wrongInput;
  }
  // After an interrupt, what else went wrong is told all the same.
  if (error instanceof Interrupted || (signal.aborted && isAbort(error))) return exitCodes.interrupted;
  // A reader that has had enough (`leasestream pull jobs | head`) is no failure to tell of.
  if (codeOf(error) === 'EPIPE') return exitCodes.failed;
  stderr.write(`leasestream: ${error instanceof Error ? error.message : String(error)}\n`);
  return isWrongInput(error) ? exitCodes.wrongInput : exitCodes.failed;
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

function isWrongInput(error: unknown): boolean {
  if (error instanceof QueueError) return false;
  if (error instanceof InputError || error instanceof TypeError || error instanceof RangeError) return true;
  const code = codeOf(error);
  return code === 'ENOENT' || code === 'EISDIR';
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
