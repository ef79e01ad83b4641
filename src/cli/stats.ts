import { Command } from 'commander';
import { addConnectionFlags, Connection, type ConnectionFlags } from './connection.ts';
import { parseDuration } from './duration.ts';
import { exitCodes } from './exit-codes.ts';
import { inColumns, readStats, statsCells, statsHeads } from './queue-stats.ts';
import { watchStats } from './stats-watch.ts';
import { type Terminal, write } from './terminal.ts';

interface StatsFlags extends ConnectionFlags {
  readonly json?: boolean;
  readonly watch?: boolean;
  readonly interval: number;
}

const help = `
The backlog counts unacknowledged messages, delayed and leased ones included; the service's numbers are best-effort.
With --json: one line {"name", "id", "backlogCount", "backlogBytes", "oldestAgeMs"} for each queue; with --watch, too,
"backlogRate": messages a second by which the backlog grew since the look before, or fell.

--watch draws what the backlog was behind each queue, on a terminal that can. Each look is a request for each queue, of
which Cloudflare lets a user have 1200 in five minutes. It ends with Ctrl-C.

Examples:
  $ leasestream stats
  $ leasestream stats jobs failed-jobs --json
  $ leasestream stats jobs --watch --interval 10s
`;

/** `leasestream stats [QUEUE...]` */
export function statsCommand(terminal: Terminal, exit: (code: number) => void): Command {
  return addConnectionFlags(new Command('stats'))
    .description('show the backlog of queues and the age of the oldest message')
    .argument('[queues...]', 'names or ids (default: all queues of the account)')
    .option('--watch', 'look again and again, and show how fast the backlog changes')
    .option('--interval <duration>', 'the time between two looks of --watch', parseDuration, 5_000)
    .option('--json', 'a line of JSON for each queue')
    .addHelpText('after', help)
    .action(async (names: readonly string[], { watch, interval, json = false, ...flags }: StatsFlags) => {
      const connection = new Connection(flags, terminal);
      const queues =
        names.length === 0
          ? await connection.list(terminal.signal)
          : await Promise.all(names.map((name) => connection.find(name, terminal.signal)));
      if (watch === true) {
        await watchStats(connection, queues, terminal, { everyMs: Math.max(interval, 100), json });
      } else {
        const rows = await readStats(connection, queues, terminal);
        const lines = json
          ? rows.map((row) => JSON.stringify(row))
          : inColumns([[...statsHeads], ...rows.map(statsCells)]);
        await write(terminal, lines.map((line) => `${line}\n`).join(''));
      }
      exit(exitCodes.done);
    });
}
