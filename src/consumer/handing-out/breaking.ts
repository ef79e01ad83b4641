import { copyWith } from '../../contract/copy-with.ts';
import { Breaker } from '../../lease/breaker.ts';
import type { Holdings } from '../../lease/holdings.ts';
import type { HeldMessage, Lease } from '../../lease/lease.ts';
import type { StartLimit } from '../../lease/start-limit.ts';
import type { ResolvedConsumeOptions } from '../consume-options.ts';
import type { Decode } from '../intake/decode.ts';
import type { ConsumerEvent } from '../events.ts';
import type { Puller } from '../pulling/puller.ts';
import type { BreakerStats, StatsCounter } from '../stats.ts';
import type { SteadyTime } from '../steady-time.ts';
import { validate } from '../intake/validate.ts';
import type { Schema } from '../../contract/schema.ts';

export interface BreakingDeps {
  readonly time: SteadyTime;
  readonly random: () => number;
  readonly schema: Schema | undefined;
  readonly decode: Decode | undefined;
  readonly options: ResolvedConsumeOptions;
  readonly stats: StatsCounter;
  readonly holdings: Holdings;
  readonly puller: Pick<Puller, 'isPulling' | 'roundTripMs'>;
  readonly report: (event: ConsumerEvent) => void;
}

/** So many messages are kept for probes at most: where fewer are in the queue, an outage costs none of them another attempt. */
const mostKept = 10;

/** What a `retry()` by hand is of a failure: it is how some say that their work failed, and others that it is not yet time. */
const retryShare = 0.2;

/** Tells a breaker what became of the work, tells of its changes, and says which messages its probes take. */
export class Breaking {
  readonly #deps: BreakingDeps;
  readonly #breaker: Breaker | undefined;
  /** How many pulls were sent when the last message was started. */
  #pullsAtStart = 0;
  /** What fails here may be tried again: not in a loop. */
  #mayKeep = false;

  constructor(deps: BreakingDeps) {
    const { options, holdings, random } = deps;
    this.#deps = deps;
    this.#breaker = options.breaker && new Breaker(options.breaker, holdings.running, random);
  }

  get limits(): readonly StartLimit[] {
    return this.#breaker === undefined ? [] : [this.#breaker];
  }

  get stats(): BreakerStats | undefined {
    if (this.#breaker === undefined) return undefined;
    const { state, openedAt, probeAt } = this.#breaker;
    const { time } = this.#deps;
    return {
      state,
      openSince: state === 'closed' ? undefined : time.toWall(openedAt),
      nextProbeAt: state === 'open' ? time.toWall(probeAt) : undefined,
    };
  }

  get isClosed(): boolean {
    return this.#breaker === undefined || this.#breaker.state === 'closed';
  }

  /** For how long messages are to be leased, in milliseconds: those of probes for as long as may be, 0 for as long as usual. */
  get leaseMs(): number {
    return this.#breaker?.state === 'open' && this.#mayKeep ? Infinity : 0;
  }

  /** Work succeeded. */
  succeed(lease: Lease, now: number): void {
    const openedAt = this.#breaker?.openedAt ?? 0;
    if (this.#breaker?.succeed(lease, now) === true)
      this.#deps.report({ type: 'breakerClosed', openMs: now - openedAt });
  }

  /**
   * Work failed.
   *
   * @param share - of a failure, for those that failed together; a small one where it was retried by hand
   */
  fail(lease: Lease, now: number, error?: unknown, share: number = retryShare): void {
    const breaker = this.#breaker;
    if (breaker === undefined) return;
    if (!breaker.fail(lease, share, now)) return;
    const { failures, failingSince, probeAt } = breaker;
    this.#deps.report({
      type: 'breakerOpened',
      failures: Math.ceil(failures),
      failingMs: now - failingSince,
      probeInMs: probeAt - now,
      error,
    });
  }

  /** Notes that a message is started. */
  onStarted(): void {
    this.#pullsAtStart = this.#deps.stats.pulls;
  }

  /** Whether what is held unstarted is to be given back, since nothing may be started for long. */
  isShedding(now: number): boolean {
    return this.#breaker?.state === 'open' && this.#breaker.startable(now) < 1;
  }

  /** Keeps the message of a probe that failed, to be tried again while its lease lasts; `false` when it is to be retried. */
  keep(lease: Lease): boolean {
    const { holdings, options, puller } = this.#deps;
    this.#mayKeep = true;
    // One that was given up at the end of its lease is in hand no longer.
    if (!lease.isRunning) return false;
    // One that others of its key wait for would keep their places, too; one that was written to a sink, the sink settles.
    if (this.#breaker?.state !== 'open' || !lease.isProbe || lease.key !== undefined || lease.isForwarded) return false;
    const isLast = lease.attempts > options.maxRetries;
    // One that was kept before makes room for another: else a message that fails for good might be tried for ever.
    const room = mostKept - holdings.waiting.kept.length - (lease.isKept ? 1 : 0);
    const lastsUntil = isLast ? lease.deadline : lease.deadline - lease.batch.timeoutMs / 4 - puller.roundTripMs;
    if ((room < 1 && !isLast) || lastsUntil <= this.#breaker.probeAt) return false;
    if (!lease.renew((message) => this.#renewed(message))) return false;
    holdings.keep(lease);
    return true;
  }

  /** The message with its body as it came; `undefined` where that can't be told at once. */
  #renewed(message: HeldMessage): HeldMessage | undefined {
    const { schema, decode } = this.#deps;
    const { raw, contentType } = message;
    if (raw === undefined) return undefined;
    try {
      const body: unknown =
        contentType === 'json' && typeof raw === 'string'
          ? JSON.parse(raw)
          : typeof raw === 'string'
            ? raw
            : raw.slice();
      const pulled: HeldMessage = copyWith(message, { body, rawBody: undefined });
      const judged = validate(pulled, schema, decode);
      return judged instanceof Promise || judged.error !== undefined ? undefined : judged.message;
    } catch {
      return undefined;
    }
  }

  /** Has kept messages wait for a handler where they are next: a probe looks for others first, as long as there is room. */
  revive(now: number): void {
    const { holdings, puller, stats } = this.#deps;
    const { kept } = holdings.waiting;
    if (kept.length === 0 || this.#breaker === undefined) return;
    const isTried = stats.pulls > this.#pullsAtStart && !puller.isPulling;
    if (this.#breaker.state === 'open' && kept.length < mostKept && !isTried) return;
    const free = this.#breaker.startable(now) - holdings.buffered;
    for (const lease of kept.slice(0, Math.max(0, free))) holdings.waiting.revive(lease);
  }
}
