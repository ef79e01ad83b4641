import type { Clock } from '../contract/clock.ts';
import type { QueueTransport } from '../contract/transport.ts';
import { messageLine } from './message-line.ts';
import { jsonOf, type RawMessage, type RawQueue } from './raw-queue.ts';
import type { Terminal } from './terminal.ts';

/** What `pull` is to do. */
export interface PullJob {
  readonly raw: RawQueue;
  readonly transport: QueueTransport;
  readonly terminal: Terminal;
  readonly clock: Clock;
  /** At most so many messages; `undefined` where the user did not say. */
  readonly max: number | undefined;
  readonly visibilityTimeoutMs: number;
  /** Whether nothing but the bodies is printed. */
  readonly bodies: boolean;
  /** How often the queue delivers a message again; `undefined` where the service does not say. */
  readonly maxRetries: number | undefined;
}

/** What `pull` did. */
export interface PullOutcome {
  readonly shown: number;
  /** Why it ended before the end of the queue, and how to go on. */
  readonly advice: string;
  /** Whether it ended before it had shown as much as it was asked for. */
  readonly isShort: boolean;
  /** Messages that were not settled as they should, of which it has told. */
  readonly unsettled: number;
}

/** The most messages of one run that leases them, where the user does not say. */
export const usualMax = 1_000;

/** Tells of messages that were not settled as they should, however the command ends. */
export function tellUnsettled({ terminal }: PullJob, unsettled: number): void {
  if (unsettled > 0) terminal.stderr.write(`${unsettled} could not be settled: they come again, or are gone\n`);
}

/** Messages as they are printed: a line each. */
export function linesOf(messages: readonly RawMessage[], { bodies }: PullJob): string {
  return messages.map((message) => (bodies ? `${jsonOf(message)}\n` : messageLine(message))).join('');
}
