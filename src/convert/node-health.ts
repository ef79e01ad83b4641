import type { IncomingMessage, ServerResponse } from 'node:http';

import type { ConsumerControl } from '../consumer/consumer.ts';
import type { ConsumerState, ConsumerStats } from '../consumer/stats.ts';
import { checkNumber, checkOptions, rule } from '../contract/check-options.ts';
import { QueueError } from '../contract/errors.ts';

/** What is looked at: consumers of any kind, and processors. */
export type HealthSource = Pick<ConsumerControl, 'stats'>;

/** When a consumer counts as dead. */
export interface HealthOptions {
  /**
   * For how long a pull may be due without one being answered, or all handlers be at work on messages whose leases are over, in
   * milliseconds, 1 or more.
   *
   * @defaultValue 600 000: the service may ask for five minutes without a pull, and one may take five to fail
   */
  readonly staleAfterMs?: number;
}

/**
 * How a consumer is: its state, or what is wrong with it.
 *
 * - `failing`: its breaker is not closed, since all work fails: healthy, as what is down is no part of the process
 * - `silent`: a pull has been due for `staleAfterMs`, and none was answered
 * - `stalled`: all handlers have been at work on messages whose leases are over for `staleAfterMs`, so that none starts
 * - `failed`: it ended with an error
 */
export type HealthStatus = ConsumerState | 'failing' | 'silent' | 'stalled' | 'failed';

/** How one consumer is. */
export interface ConsumerHealth extends Pick<
  ConsumerStats,
  | 'lastPullAt'
  | 'lastMessageAt'
  | 'lastSettlementAt'
  | 'pullDueAt'
  | 'heldBackUntil'
  | 'stalledSince'
  | 'breaker'
  | 'inFlight'
  | 'buffered'
> {
  /** Whether it needs no new process. */
  readonly isHealthy: boolean;
  /** Its state, or what is wrong with it. */
  readonly status: HealthStatus;
  /** The last error's code, or its name: what it says may be for nobody but its reader. */
  readonly lastError: string | undefined;
}

/** How all are. */
export interface HealthReport {
  /** Whether all of them are. */
  readonly isHealthy: boolean;
  /** One for each consumer, in their order. */
  readonly consumers: readonly ConsumerHealth[];
}

/** Answers a probe: 200 where all are healthy, 503 where one is not, with the report as JSON. */
export interface HealthHandler {
  /** Answers a request with the report. */
  (request: IncomingMessage, response: ServerResponse): void;
  /** The same without HTTP. */
  check(): HealthReport;
}

/**
 * Tells whether consumers work, as a handler for `node:http` and what is made in its manner.
 *
 * For a liveness probe: unhealthy is what a new process may mend. One that waits for messages is healthy, and so is one that
 * was told to pause, to close, or to stop when the queue is empty: nobody wants that undone. `status` tells which.
 *
 * @param consumers - one, or several: what is added to a `Set` or an array later is looked at from then on
 * @throws TypeError or RangeError that names the option, what it must be, and its value
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { openQueue } from 'leasestream';
 * import { healthOf } from 'leasestream/node';
 *
 * const queue = openQueue<{ id: string }>({ queueId: process.env.QUEUE_ID! });
 * const processor = queue.process(({ body }) => console.log(body.id), { stopWhenEmpty: true });
 * const health = createServer(healthOf(processor)).listen(0);
 * await processor;
 * console.log(healthOf(processor).check().isHealthy);
 * health.close();
 * ```
 */
export function healthOf(consumers: HealthSource | Iterable<HealthSource>, options: HealthOptions = {}): HealthHandler {
  checkOptions('tell health', options);
  const { staleAfterMs = 600_000 } = options;
  checkNumber('tell health', 'staleAfterMs', staleAfterMs, [1, Infinity]);
  const sources = (): HealthSource[] => listOf(consumers);
  sources();
  const check = (): HealthReport => {
    const reports = sources().map(({ stats }) => healthFrom(stats, staleAfterMs));
    return { isHealthy: reports.every(({ isHealthy }) => isHealthy), consumers: reports };
  };
  const answer = (_request: IncomingMessage, response: ServerResponse): void => {
    const report = check();
    response.writeHead(report.isHealthy ? 200 : 503, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
    });
    response.end(JSON.stringify(report));
  };
  return Object.assign(answer, { check });
}

function listOf(consumers: HealthSource | Iterable<HealthSource>): HealthSource[] {
  const isMany = typeof consumers === 'object' && consumers !== null && Symbol.iterator in consumers;
  const list = isMany ? [...consumers] : [consumers];
  for (const consumer of list) {
    if (typeof consumer !== 'object' || consumer === null || !('stats' in consumer)) {
      throw new TypeError(rule('tell health', 'consumers', 'consumers or processors of a queue', consumer));
    }
  }
  return list;
}

function healthFrom(stats: ConsumerStats, staleAfterMs: number): ConsumerHealth {
  const status = statusOf(stats, staleAfterMs);
  const { lastPullAt, lastMessageAt, lastSettlementAt, pullDueAt, heldBackUntil, stalledSince, breaker } = stats;
  const { inFlight, buffered } = stats;
  return {
    isHealthy: status !== 'silent' && status !== 'stalled' && status !== 'failed',
    status,
    lastPullAt,
    lastMessageAt,
    lastSettlementAt,
    pullDueAt,
    heldBackUntil,
    stalledSince,
    breaker,
    inFlight,
    buffered,
    lastError: nameOf(stats.lastError),
  };
}

/** A state that a consumer comes to have beside these is healthy unless it is named here. */
function statusOf(
  { at, state, reason, pullDueAt, stalledSince, breaker }: ConsumerStats,
  staleAfterMs: number,
): HealthStatus {
  const isOld = (since = Infinity): boolean => at - since > staleAfterMs;
  if (reason === 'failed') return 'failed';
  if (state !== 'open') return state;
  if (isOld(pullDueAt)) return 'silent';
  if (isOld(stalledSince)) return 'stalled';
  return breaker === undefined || breaker.state === 'closed' ? 'open' : 'failing';
}

function nameOf(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  if (error instanceof QueueError) return error.code;
  return error instanceof Error ? error.name : typeof error;
}
