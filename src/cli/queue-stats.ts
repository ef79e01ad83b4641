import { systemClock } from '../contract/system-clock.ts';
import type { Connection, KnownQueue } from './connection.ts';
import { showDuration } from './duration.ts';
import type { Terminal } from './terminal.ts';

/** What `stats` shows of a queue. */
export interface QueueStats {
  readonly name: string;
  readonly id: string;
  readonly backlogCount: number;
  readonly backlogBytes: number;
  /** `null` when the service does not know. */
  readonly oldestAgeMs: number | null;
}

/** Asks for the numbers of each queue: one after the other, as these requests count against the API's limit. */
export async function readStats(
  connection: Connection,
  queues: readonly KnownQueue[],
  { signal }: Terminal,
): Promise<readonly QueueStats[]> {
  const rows: QueueStats[] = [];
  for (const queue of queues) {
    const metrics = await connection.transport(queue).metrics({ signal, timeoutMs: 30_000 });
    const { backlogCount, backlogBytes, oldestMessageTimestampMs: oldest } = metrics;
    const oldestAgeMs = oldest === 0 ? null : Math.max(0, systemClock.now() - oldest);
    rows.push({ name: queue.name, id: queue.id, backlogCount, backlogBytes, oldestAgeMs });
  }
  return rows;
}

/** The cells of a queue, under {@link statsHeads}. */
export function statsCells({ name, backlogCount, backlogBytes, oldestAgeMs }: QueueStats): readonly string[] {
  const age = oldestAgeMs === null ? '-' : showDuration(oldestAgeMs);
  return [name, String(backlogCount), String(backlogBytes), age];
}

export const statsHeads = ['QUEUE', 'BACKLOG', 'BYTES', 'OLDEST'] as const;

/** Lines of cells in columns: the first one to the left, the others to the right. */
export function inColumns(rows: readonly (readonly string[])[]): readonly string[] {
  const count = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  );
}
