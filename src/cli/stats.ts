import { Command } from 'commander';
import { systemClock } from '../contract/system-clock.ts';
import { addConnectionFlags, Connection, type ConnectionFlags, type KnownQueue } from './connection.ts';
import { showDuration } from './duration.ts';
import { exitCodes } from './exit-codes.ts';
import { type Terminal, write } from './terminal.ts';

interface StatsFlags extends ConnectionFlags {
  readonly json?: boolean;
}

interface QueueStats {
  readonly name: string;
  readonly id: string;
  readonly backlogCount: number;
  readonly backlogBytes: number;
  /** `null` when the service does not know. */
  readonly oldestAgeMs: number | null;
}

const help = `
The backlog counts unacknowledged messages, delayed and leased ones included; the service's numbers are best-effort.
With --json: one line {"name", "id", "backlogCount", "backlogBytes", "oldestAgeMs"} for each queue.

Examples:
  $ leasestream stats
  $ leasestream stats jobs failed-jobs --json
`;

/** `leasestream stats [QUEUE...]` */
export function statsCommand(terminal: Terminal, exit: (code: number) => void): Command {
  return addConnectionFlags(new Command('stats'))
    .description('show the backlog of queues and the age of the oldest message')
    .argument('[queues...]', 'names or ids (default: all queues of the account)')
    .option('--json', 'a line of JSON for each queue')
    .addHelpText('after', help)
    .action(async (names: readonly string[], flags: StatsFlags) => {
      const connection = new Connection(flags, terminal);
      const queues =
        names.length === 0
          ? await connection.list(terminal.signal)
          : await Promise.all(names.map((name) => connection.find(name, terminal.signal)));
      const rows: QueueStats[] = [];
      // One after the other: these count against the API's limit.
      for (const queue of queues) rows.push(await readStats(connection, queue, terminal));
      await write(terminal, flags.json === true ? rows.map((row) => `${JSON.stringify(row)}\n`).join('') : table(rows));
      exit(exitCodes.done);
    });
}

async function readStats(connection: Connection, queue: KnownQueue, { signal }: Terminal): Promise<QueueStats> {
  const { name, id } = queue;
  const metrics = await connection.transport(queue).metrics({ signal, timeoutMs: 30_000 });
  const { backlogCount, backlogBytes, oldestMessageTimestampMs } = metrics;
  const oldestAgeMs = oldestMessageTimestampMs === 0 ? null : Math.max(0, systemClock.now() - oldestMessageTimestampMs);
  return { name, id, backlogCount, backlogBytes, oldestAgeMs };
}

function table(rows: readonly QueueStats[]): string {
  const cells = rows.map(({ name, backlogCount, backlogBytes, oldestAgeMs }) => [
    name,
    String(backlogCount),
    String(backlogBytes),
    oldestAgeMs === null ? '-' : showDuration(oldestAgeMs),
  ]);
  const all = [['QUEUE', 'BACKLOG', 'BYTES', 'OLDEST'], ...cells];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))),
    )
    .map((row) => `${row.join('  ')}\n`)
    .join('');
}
