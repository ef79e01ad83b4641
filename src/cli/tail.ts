import { Command } from 'commander';
import { delay } from '../contract/delay.ts';
import { limits } from '../contract/limits.ts';
import { systemClock } from '../contract/system-clock.ts';
import { addConnectionFlags, Connection, type ConnectionFlags } from './connection.ts';
import { parseDuration } from './duration.ts';
import { exitCodes } from './exit-codes.ts';
import { messageLine } from './message-line.ts';
import { jsonOf, type RawMessage, type RawQueue } from './raw-queue.ts';
import { type Terminal, write } from './terminal.ts';

interface TailFlags extends ConnectionFlags {
  readonly interval: number;
  readonly once?: boolean;
  readonly json?: boolean;
}

// Messages that were shown, and are not shown again.
const remembered = 100_000;

const help = `
Shows each message once, without consuming it: nothing is leased, and no attempt is counted. Only visible messages can
be seen, neither leased nor delayed ones, and the service shows at most the first ${limits.batchMessages} of them: behind
a longer backlog, or a consumer that is faster than the interval, messages pass unseen. It ends with Ctrl-C.

Examples:
  $ leasestream tail jobs
  $ leasestream tail jobs --once --json | jq .body
`;

/** `leasestream tail QUEUE` */
export function tailCommand(terminal: Terminal, exit: (code: number) => void): Command {
  return addConnectionFlags(new Command('tail'))
    .description('follow a queue without consuming it')
    .argument('<queue>', 'its name, or its id')
    .option('--interval <duration>', 'the time between two looks', parseDuration, 1_000)
    .option('--once', 'show what is there, and end')
    .option('--json', 'a line of JSON for each message, as of `pull`')
    .addHelpText('after', help)
    .action(async (name: string, flags: TailFlags) => {
      const connection = new Connection(flags, terminal);
      const raw = connection.raw(await connection.find(name, terminal.signal));
      await follow(raw, flags, terminal);
      exit(exitCodes.done);
    });
}

async function follow(raw: RawQueue, { interval, once, json }: TailFlags, terminal: Terminal): Promise<void> {
  const seen = new Set<string>();
  const { signal } = terminal;
  while (!signal.aborted) {
    const fresh = (await raw.peek(limits.batchMessages)).filter(({ id }) => !seen.has(id));
    for (const { id } of fresh) remember(seen, id);
    if (fresh.length > 0) await write(terminal, fresh.map(json === true ? messageLine : plainLine).join(''));
    if (once === true) return;
    // Ctrl-C is how it ends.
    await delay(signal, systemClock, Math.max(interval, 100)).catch(() => undefined);
  }
}

function remember(seen: Set<string>, id: string): void {
  seen.add(id);
  const [oldest] = seen;
  if (seen.size > remembered && oldest !== undefined) seen.delete(oldest);
}

function plainLine(message: RawMessage): string {
  const { timestampMs, id, attempts } = message;
  const tries = attempts === 0 ? '' : ` attempt ${attempts}`;
  return `${new Date(timestampMs).toISOString()} ${id}${tries} ${jsonOf(message)}\n`;
}
