import { Command } from 'commander';
import { limits } from '../contract/limits.ts';
import type { QueueTransport } from '../contract/transport.ts';
import { addConnectionFlags, Connection, type ConnectionFlags } from './connection.ts';
import { parseDuration } from './duration.ts';
import { exitCodes } from './exit-codes.ts';
import { messageLine } from './message-line.ts';
import { parseCount } from './parse-count.ts';
import { jsonOf, type RawLeasedMessage, type RawQueue } from './raw-queue.ts';
import { Interrupted, type Terminal, write } from './terminal.ts';

interface PullFlags extends ConnectionFlags {
  readonly ack?: boolean;
  readonly leave?: boolean;
  readonly bodies?: boolean;
  readonly max: number;
  readonly visibilityTimeout: number;
}

const help = `
Prints {"id", "attempts", "timestamp", "contentType", "body"} for each message, a line each, until the queue has none
that is visible, or --max is reached. A body of the types bytes and v8 is printed in base64.

  --ack    acknowledges messages once they have been written to standard output
  --leave  (the default) gives all of them back at the end; every pull counts as an attempt nevertheless

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
    .option('--leave', 'give back what was printed')
    .option('--bodies', 'print nothing but the bodies, as `push` takes them')
    .option('--max <count>', 'at most so many messages', parseCount, 1_000)
    .option('--visibility-timeout <duration>', 'how long they are leased', parseDuration, 30_000)
    .option('--json', 'the output is JSON in any case')
    .addHelpText('after', help)
    .action(async (name: string, flags: PullFlags) => {
      if (flags.ack === true && flags.leave === true) throw new TypeError('Choose --ack or --leave');
      const connection = new Connection(flags, terminal);
      const known = await connection.find(name, terminal.signal);
      const puller = new Puller(connection.raw(known), connection.transport(known), terminal);
      const unsettled = await puller.run(flags);
      if (terminal.signal.aborted) throw new Interrupted();
      if (unsettled > 0) terminal.stderr.write(`${unsettled} could not be settled: they come again, or are gone\n`);
      exit(unsettled > 0 ? exitCodes.incomplete : exitCodes.done);
    });
}

class Puller {
  readonly #raw: RawQueue;
  readonly #transport: QueueTransport;
  readonly #terminal: Terminal;
  #unsettled = 0;

  constructor(raw: RawQueue, transport: QueueTransport, terminal: Terminal) {
    this.#raw = raw;
    this.#transport = transport;
    this.#terminal = terminal;
  }

  /** Pulls, prints and settles. Gives how many messages were not settled as they should. */
  async run({ max, visibilityTimeout, ack = false, bodies = false }: PullFlags): Promise<number> {
    const held: RawLeasedMessage[] = [];
    let count = 0;
    try {
      while (count < max && !this.#terminal.signal.aborted) {
        const messages = await this.#raw.pull(Math.min(limits.batchMessages, max - count), visibilityTimeout);
        if (messages.length === 0) break;
        count += messages.length;
        held.push(...messages);
        await write(this.#terminal, messages.map((message) => lineOf(message, bodies)).join(''));
        if (ack) await this.#settle(held.splice(0), 'ack');
      }
    } finally {
      while (held.length > 0) await this.#settle(held.splice(0, limits.batchMessages), 'retry');
    }
    return this.#unsettled;
  }

  async #settle(messages: readonly RawLeasedMessage[], how: 'ack' | 'retry'): Promise<void> {
    const leaseIds = messages.map(({ leaseId }) => leaseId);
    const request =
      how === 'ack'
        ? { acks: leaseIds, retries: [] }
        : { acks: [], retries: leaseIds.map((leaseId) => ({ leaseId, delaySeconds: 0 })) };
    const { ackCount, retryCount } = await this.#transport.ack(request, { timeoutMs: 60_000 });
    this.#unsettled += leaseIds.length - ((how === 'ack' ? ackCount : retryCount) ?? leaseIds.length);
  }
}

function lineOf(message: RawLeasedMessage, bodies: boolean): string {
  return bodies ? `${jsonOf(message)}\n` : messageLine(message);
}
