import { Command } from 'commander';
import { limits } from '../contract/limits.ts';
import type { QueueTransport } from '../contract/transport.ts';
import { isItemFault } from '../producer/item-error.ts';
import type { Queue } from '../queue/queue.ts';
import { addConnectionFlags, Connection, type ConnectionFlags, type KnownQueue } from './connection.ts';
import { exitCodes, InputError } from './exit-codes.ts';
import { parseCount } from './parse-count.ts';
import { Progress } from './progress.ts';
import { encodedBodyOf, type RawLeasedMessage, type RawQueue } from './raw-queue.ts';
import { Interrupted, type Terminal, write } from './terminal.ts';

interface RedriveFlags extends ConnectionFlags {
  readonly limit?: number;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** What became of the messages of the dead letter queue. */
interface RedriveReport {
  readonly from: string;
  readonly to: string;
  dryRun: boolean;
  /** Pushed and confirmed; with a dry run, what would be moved. */
  moved: number;
  /** Pushed and confirmed, but still in the dead letter queue: the acknowledgement went wrong. Both queues have them. */
  copied: number;
  /** Left: of a type that can't be pushed over HTTP, or refused by the service. */
  left: number;
}

// Long enough for a push that has to be repeated for a minute.
const leaseMs = 300_000;

const help = `
Moves messages out of a dead letter queue: each is pushed to TO, and acknowledged in FROM only once the push was
confirmed, so that a crash leaves it in both rather than in none. Bodies stay as they are, to the last digit; ids,
timestamps and attempts are new. Without TO: the one queue whose consumer names FROM as its dead letter queue.
Messages of the types bytes and v8 can't be pushed over HTTP, and are given back; that counts as an attempt, of which a
dead letter queue has no more than its own max_retries allows, too.

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
    .option('--dry-run', 'move nothing, and say how many there are')
    .option('--json', 'print what happened as one line of JSON')
    .option('--quiet', 'show no progress')
    .addHelpText('after', help)
    .action(async (fromName: string, toName: string | undefined, flags: RedriveFlags) => {
      const connection = new Connection(flags, terminal);
      const from = await connection.find(fromName, terminal.signal);
      const to = await findTarget(connection, from, toName, terminal);
      if (from.id === to.id) throw new InputError('FROM and TO are the same queue');
      const redrive = new Redrive(connection, { from, to }, terminal);
      try {
        await redrive.run(flags);
      } finally {
        await write(terminal, flags.json === true ? `${JSON.stringify(redrive.report)}\n` : inWords(redrive.report));
      }
      if (terminal.signal.aborted) throw new Interrupted();
      exit(redrive.report.copied + redrive.report.left > 0 ? exitCodes.incomplete : exitCodes.done);
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

class Redrive {
  readonly #raw: RawQueue;
  readonly #transport: QueueTransport;
  readonly #target: Queue;
  readonly #terminal: Terminal;
  readonly report: RedriveReport;

  constructor(connection: Connection, { from, to }: { from: KnownQueue; to: KnownQueue }, terminal: Terminal) {
    this.#raw = connection.raw(from);
    this.#transport = connection.transport(from);
    this.#target = connection.open(to);
    this.#terminal = terminal;
    this.report = { from: from.name, to: to.name, dryRun: false, moved: 0, copied: 0, left: 0 };
  }

  async run({ limit = Infinity, dryRun = false, quiet = false }: RedriveFlags): Promise<void> {
    const { backlogCount } = await this.#transport.metrics({ timeoutMs: 30_000 });
    const total = Math.min(limit, backlogCount);
    if (dryRun) {
      this.report.dryRun = true;
      this.report.moved = total;
      return;
    }
    const progress = quiet ? undefined : new Progress(this.#terminal.stderr, 'moved', total);
    let taken = 0;
    const kept: RawLeasedMessage[] = [];
    try {
      while (taken < limit && !this.#terminal.signal.aborted) {
        const messages = await this.#raw.pull(Math.min(limits.batchMessages, limit - taken), leaseMs);
        if (messages.length === 0) break;
        taken += messages.length;
        kept.push(...(await this.#move(messages)));
        progress?.show(this.report.moved);
      }
    } finally {
      progress?.end();
      this.report.left = kept.length;
      await this.#giveBack(kept);
    }
  }

  /** Pushes, then acknowledges what was confirmed. Gives the messages that can't be moved. */
  async #move(messages: readonly RawLeasedMessage[]): Promise<readonly RawLeasedMessage[]> {
    const pushes = messages.map(async (message) => {
      const body = encodedBodyOf(message);
      if (body === undefined) throw new TypeError(`HTTP can't push ${message.contentType}`);
      await this.#target.send(body);
    });
    const outcomes = await Promise.allSettled(pushes);
    const isPushed = (_: unknown, index: number): boolean => outcomes[index]?.status === 'fulfilled';
    const acks = messages.filter(isPushed).map(({ leaseId }) => leaseId);
    if (acks.length > 0) await this.#acknowledge(acks);
    const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    const kept = messages.filter((message, index) => !isPushed(message, index));
    // One that the service refuses, or HTTP can't carry, concerns that message; all other failures concern all.
    const fatal = failures.find((error) => !isItemFault(error));
    if (fatal === undefined) return kept;
    await this.#giveBack(kept);
    throw fatal instanceof Error ? fatal : new Error('The push failed', { cause: fatal });
  }

  async #acknowledge(acks: readonly string[]): Promise<void> {
    const { ackCount = acks.length } = await this.#transport.ack({ acks, retries: [] }, { timeoutMs: 60_000 });
    this.report.moved += ackCount;
    this.report.copied += acks.length - ackCount;
  }

  async #giveBack(messages: readonly RawLeasedMessage[]): Promise<void> {
    for (let start = 0; start < messages.length; start += limits.batchMessages) {
      const retries = messages
        .slice(start, start + limits.batchMessages)
        .map(({ leaseId }) => ({ leaseId, delaySeconds: 0 }));
      // What is not given back comes back by itself.
      await this.#transport.ack({ acks: [], retries }, { timeoutMs: 60_000 }).catch(() => undefined);
    }
  }
}

function inWords({ from, to, dryRun, moved, copied, left }: RedriveReport): string {
  if (dryRun) return `${moved} would be moved from ${from} to ${to}\n`;
  const rest = [
    copied === 0 ? '' : `, ${copied} pushed but not acknowledged: they are in both`,
    left === 0 ? '' : `, ${left} left in ${from}`,
  ];
  return `${moved} moved from ${from} to ${to}${rest.join('')}\n`;
}
