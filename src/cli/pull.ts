import { Command } from 'commander';
import { checkInteger } from '../contract/check-options.ts';
import { limits } from '../contract/limits.ts';
import { systemClock } from '../contract/system-clock.ts';
import { addConnectionFlags, Connection, type ConnectionFlags } from './connection.ts';
import { parseDuration } from './duration.ts';
import { exitCodes } from './exit-codes.ts';
import { parseCount } from './parse-count.ts';
import { PullAck } from './pull-ack.ts';
import type { PullJob, PullOutcome } from './pull-job.ts';
import { PullLeave } from './pull-leave.ts';
import { pullLook } from './pull-look.ts';
import { Interrupted, type Terminal } from './terminal.ts';

interface PullFlags extends ConnectionFlags {
  readonly ack?: boolean;
  readonly leave?: boolean;
  readonly bodies?: boolean;
  readonly max?: number;
  readonly visibilityTimeout: number;
}

const help = `
Prints {"id", "attempts", "timestamp", "contentType", "body"} for each message, a line each. A body of the types bytes
and v8 is printed in base64.

  (neither) a look: leases nothing and changes nothing, and shows at most the first 100 messages that are visible
  --leave   leases messages and gives them back before it prints them. Each counts as an attempt of its message, of which
            a queue has max_retries and one. So it stops where one is on its last attempt, and before its leases end
  --ack     acknowledges messages once they have been written to standard output

What it did not show is counted on standard error, with how to go on. --leave and --ack go on until no message is visible,
or --max is reached.

Examples:
  $ leasestream pull jobs --max 10
  $ leasestream pull jobs --ack --bodies > jobs.ndjson
`;

/** `leasestream pull QUEUE` */
export function pullCommand(terminal: Terminal, exit: (code: number) => void): Command {
  return addConnectionFlags(new Command('pull'))
    .description('pull messages and print them as newline-delimited JSON')
    .argument('<queue>', 'its name, or its id')
    .option('--ack', 'acknowledge what was printed')
    .option('--leave', 'lease messages and give them back: counts as an attempt of each')
    .option('--bodies', 'print nothing but the bodies, as `push` takes them')
    .option('--max <count>', 'at most so many messages (default: 100; 1000 with --ack or --leave)', parseCount)
    .option('--visibility-timeout <duration>', 'how long they are leased, with --ack or --leave', parseDuration, 30_000)
    .option('--json', 'the output is JSON in any case')
    .addHelpText('after', help)
    .action(async (name: string, flags: PullFlags) => {
      if (flags.ack === true && flags.leave === true) throw new TypeError('Choose --ack or --leave');
      const connection = new Connection(flags, terminal);
      checkInteger('pull', '--visibility-timeout', flags.visibilityTimeout, [1, limits.visibilityTimeoutMs]);
      const queue = await connection.find(name, terminal.signal);
      const { ack = false, leave = false, bodies = false, max, visibilityTimeout: visibilityTimeoutMs } = flags;
      const job: PullJob = {
        raw: connection.raw(queue),
        transport: connection.transport(queue),
        terminal,
        clock: terminal.clock ?? systemClock,
        max,
        visibilityTimeoutMs,
        bodies,
        maxRetries: leave ? await connection.maxRetries(queue, terminal.signal) : undefined,
      };
      const outcome = await (ack ? new PullAck(job).run() : leave ? new PullLeave(job).run() : pullLook(job));
      if (terminal.signal.aborted) throw new Interrupted();
      await report(name, job, { ...outcome, isConsumed: ack });
      exit(outcome.isShort || outcome.unsettled > 0 ? exitCodes.incomplete : exitCodes.done);
    });
}

async function report(
  name: string,
  { transport, terminal, max }: PullJob,
  { shown, advice, isConsumed }: PullOutcome & { readonly isConsumed: boolean },
): Promise<void> {
  if (shown === max) return;
  const { backlogCount } = await transport.metrics({ timeoutMs: 30_000 });
  const left = isConsumed ? backlogCount : backlogCount - shown;
  if (left > 0) terminal.stderr.write(`${left} more ${left === 1 ? 'is' : 'are'} in ${name}: ${advice}\n`);
}
