import { delay } from '../contract/delay.ts';
import { systemClock } from '../contract/system-clock.ts';
import { QueueError } from '../contract/errors.ts';
import type { Connection, KnownQueue } from './connection.ts';
import { inColumns, type QueueStats, readStats, statsCells, statsHeads } from './queue-stats.ts';
import { hasUnicode, sparkline } from './sparkline.ts';
import { type Terminal, write } from './terminal.ts';

/** A look at a queue, compared with the one before. */
export interface WatchedStats extends QueueStats {
  readonly at: number;
  /** Messages a second by which the backlog grew, or, below 0, fell; `null` of a first look. */
  readonly backlogRate: number | null;
}

/** How to watch. */
export interface WatchOptions {
  readonly everyMs: number;
  readonly json: boolean;
}

const rememberedLooks = 40;
const heads = [...statsHeads, 'CHANGE/S'] as const;

/**
 * Shows the queues again and again, until the user has enough: in place on a terminal, with what the backlog was; else,
 * and as JSON, further lines. A look that fails is left out, and said to have failed.
 */
export async function watchStats(
  connection: Connection,
  queues: readonly KnownQueue[],
  terminal: Terminal,
  options: WatchOptions,
): Promise<void> {
  const { signal, clock = systemClock } = terminal;
  const screen = new Screen(terminal, options.json);
  let before: readonly WatchedStats[] = [];
  while (!signal.aborted) {
    try {
      const stats = await readStats(connection, queues, terminal);
      before = compare(stats, before, clock.monotonic());
      await screen.show(before);
    } catch (error) {
      // One that may pass, and not the first: whoever watches for hours sees some.
      if (signal.aborted) return;
      if (before.length === 0 || !(error instanceof QueueError)) throw error;
      await screen.fail(error);
    }
    // Ctrl-C is how it ends.
    await delay(signal, clock, options.everyMs).catch(() => undefined);
  }
}

function compare(rows: readonly QueueStats[], before: readonly WatchedStats[], at: number): readonly WatchedStats[] {
  return rows.map((row) => {
    const last = before.find(({ id }) => id === row.id);
    const backlogRate =
      last === undefined ? null : ((row.backlogCount - last.backlogCount) * 1_000) / Math.max(1, at - last.at);
    return { ...row, at, backlogRate };
  });
}

class Screen {
  readonly #terminal: Terminal;
  readonly #json: boolean;
  readonly #looks = new Map<string, number[]>();
  /** How many lines stand there that the next look takes the place of. */
  #lines = 0;

  constructor(terminal: Terminal, json: boolean) {
    this.#terminal = terminal;
    this.#json = json;
  }

  async show(rows: readonly WatchedStats[]): Promise<void> {
    if (this.#json) {
      const lines = rows.map((row) => `${JSON.stringify({ ...row, at: undefined })}\n`);
      return write(this.#terminal, lines.join(''));
    }
    for (const { id, backlogCount } of rows) {
      this.#looks.set(id, [...(this.#looks.get(id) ?? []), backlogCount].slice(-rememberedLooks));
    }
    if (this.#terminal.stdout.isTTY !== true) return this.#append(rows);
    const draws = hasUnicode(this.#terminal.environment);
    const [head = '', ...lines] = inColumns([heads, ...rows.map(cellsOf)]);
    const drawn = rows.map(({ id }, index) => {
      const line = lines[index] ?? '';
      return draws ? `${line}  ${sparkline(this.#looks.get(id) ?? [], rememberedLooks)}` : line;
    });
    await this.#replace([head, ...drawn]);
  }

  async fail({ message }: QueueError): Promise<void> {
    this.#lines = 0;
    this.#terminal.stderr.write(`${message}\n`);
  }

  /** The head but once, so that the lines are a table that grows. */
  async #append(rows: readonly WatchedStats[]): Promise<void> {
    const lines = inColumns([heads, ...rows.map(cellsOf)]);
    await write(this.#terminal, `${lines.slice(Math.min(1, this.#lines)).join('\n')}\n`);
    this.#lines = lines.length;
  }

  async #replace(lines: readonly string[]): Promise<void> {
    // Up to the first of them, and from there to the end of the screen nothing.
    const up = this.#lines === 0 ? '' : `\u001B[${this.#lines}A\r\u001B[J`;
    await write(this.#terminal, `${up}${lines.join('\n')}\n`);
    this.#lines = lines.length;
  }
}

function cellsOf(row: WatchedStats): readonly string[] {
  return [...statsCells(row), row.backlogRate === null ? '-' : signed(row.backlogRate)];
}

function signed(rate: number): string {
  const text = Math.abs(rate) >= 10 ? String(Math.round(rate)) : String(Math.round(rate * 10) / 10);
  return rate > 0 ? `+${text}` : text;
}
