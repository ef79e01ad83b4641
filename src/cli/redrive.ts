import { Command } from 'commander';
import { systemClock } from '../contract/system-clock.ts';
import { addConnectionFlags, Connection, type ConnectionFlags, type KnownQueue } from './connection.ts';
import { exitCodes, InputError } from './exit-codes.ts';
import { parseCount } from './parse-count.ts';
import { Progress } from './progress.ts';
import { Redrive, type RedriveReport } from './redrive-run.ts';
import { Interrupted, type Terminal, write } from './terminal.ts';

interface RedriveFlags extends ConnectionFlags {
  readonly limit?: number;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const help = `
Moves messages out of a dead letter queue: each is pushed to TO, and acknowledged in FROM only once the push was
confirmed, so that a crash leaves it in both rather than in none. Bodies stay as they are, to the last digit; ids,
timestamps and attempts are new. A string of JSON, which HTTP does not take, becomes text. Without TO: the one queue whose consumer names FROM as its dead letter queue.
What HTTP can't carry (the types bytes and v8, what is not of its type) and what the service refuses is given back, each
told on standard error with its id and the reason, or as "unmoved" with --json. Giving back counts as an attempt, of which a
dead letter queue has its own max_retries and one, too. So it stops where one of them is on its last attempt, and before
the leases of those that it will give back end; it says how many are left then.

Examples:
  $ leasestream redrive failed-jobs jobs --dry-run
  $ leasestream redrive failed-jobs --limit 100
`;

/** `leasestream redrive FROM [TO]` */
export function redriveCommand(terminal: Terminal, exit: (code: number) => void): Command {
  return addConnectionFlags(new Command('redrive'))
    .description('move the messages of a dead letter queue back to its queue')
    .argument('<from>', 'the dead letter queue: its name, or its id')
    .argument('[to]', 'the queue that they go back to: its name, or its id')
    .option('--limit <count>', 'move at most so many', parseCount)
    .option('--dry-run', 'move nothing, and say how many can be moved of the first 100')
    .option('--json', 'print what happened as one line of JSON')
    .option('--quiet', 'show no progress')
    .addHelpText('after', help)
    .action(async (fromName: string, toName: string | undefined, flags: RedriveFlags) => {
      const connection = new Connection(flags, terminal);
      const from = await connection.find(fromName, terminal.signal);
      const to = await findTarget(connection, from, toName, terminal);
      if (from.id === to.id) throw new InputError('FROM and TO are the same queue');
      const clock = terminal.clock ?? systemClock;
      const progress = flags.quiet === true ? undefined : new Progress(terminal.stderr, 'moved');
      const redrive = new Redrive(connection, { from, to }, { clock, signal: terminal.signal, progress });
      try {
        await (flags.dryRun === true ? redrive.count(flags.limit) : redrive.run(flags.limit));
      } finally {
        await write(terminal, flags.json === true ? `${JSON.stringify(redrive.report)}\n` : inWords(redrive.report));
      }
      if (flags.json !== true) for (const { reason } of redrive.report.unmoved) terminal.stderr.write(`${reason}\n`);
      if (terminal.signal.aborted) throw new Interrupted();
      const advice = await redrive.advice();
      if (advice !== undefined) terminal.stderr.write(`${advice}\n`);
      const { copied, left } = redrive.report;
      exit(copied + left > 0 || advice !== undefined ? exitCodes.incomplete : exitCodes.done);
    });
}

async function findTarget(
  connection: Connection,
  from: KnownQueue,
  toName: string | undefined,
  { signal }: Terminal,
): Promise<KnownQueue> {
  if (toName !== undefined) return connection.find(toName, signal);
  const all = await connection.list(signal);
  const fromName = all.find(({ id }) => id === from.id)?.name ?? from.name;
  const [target, ...others] = all.filter(({ deadLetterQueues }) => deadLetterQueues.includes(fromName));
  if (target === undefined) throw new InputError(`No queue names '${fromName}' as its dead letter queue: name TO`);
  if (others.length > 0)
    throw new InputError(`More than one queue names '${fromName}' as its dead letter queue: name TO`);
  return target;
}

function inWords({ from, to, dryRun, moved, copied, left, unseen = 0 }: RedriveReport): string {
  if (dryRun) {
    const stays = left === 0 ? '' : `, ${left} would be left in ${from}`;
    const hidden = unseen === 0 ? '' : `; there are ${unseen} more that can't be looked at without leasing them`;
    return `${moved} would be moved from ${from} to ${to}${stays}${hidden}\n`;
  }
  const rest = [
    copied === 0 ? '' : `, ${copied} pushed but not acknowledged: they may be in both`,
    left === 0 ? '' : `, ${left} left in ${from}`,
  ];
  return `${moved} moved from ${from} to ${to}${rest.join('')}\n`;
}
