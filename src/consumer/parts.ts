import { Holdings } from '../lease/holdings.ts';
import { Isolation, suspectFrom } from '../lease/isolation.ts';
import { RateLimit } from '../lease/rate-limit.ts';
import { SerialTime } from '../lease/serial-time.ts';
import { Closing } from './closing/closing.ts';
import type { ResolvedConsumeOptions } from './consume-options.ts';
import { Breaking } from './handing-out/breaking.ts';
import { Handouts } from './handing-out/handouts.ts';
import type { DeliveryMode } from './handing-out/modes.ts';
import { Releases } from './handing-out/releases.ts';
import { Arrivals } from './intake/arrivals.ts';
import { Intake } from './intake/intake.ts';
import { expectComeback } from './pulling/comeback.ts';
import { Demand } from './pulling/demand.ts';
import { Leftovers } from './pulling/leftovers.ts';
import { Puller } from './pulling/puller.ts';
import type { QueueContext } from './queue-context.ts';
import { createReporter } from './reporter.ts';
import { Keeper } from './settling/keeper.ts';
import { LeaseSignals } from './settling/lease-signals.ts';
import { Settlements } from './settling/settlements.ts';
import { Settler } from './settling/settler.ts';
import type { CloseReason, StatsCounter } from './stats.ts';

/** What runs the parts of a consumer, as they see it. */
export interface PartsHost {
  readonly options: ResolvedConsumeOptions;
  readonly stats: StatsCounter;
  /** What else is waited for in the end. */
  readonly extended: ReadonlySet<unknown>;
  /** Whether nothing of the consumer is left. */
  readonly isClosed: boolean;
  /** Asks for a turn. */
  wake(): void;
  /** Has the next turn at once. */
  hasten(): void;
  close(reason: CloseReason, how?: { readonly error?: unknown }): unknown;
}

/** What a consumer consists of. */
export interface Parts {
  readonly holdings: Holdings;
  readonly isolation: Isolation | undefined;
  readonly serial: SerialTime;
  readonly signals: LeaseSignals;
  readonly demand: Demand;
  readonly puller: Puller;
  readonly intake: Intake;
  readonly arrivals: Arrivals;
  readonly settler: Settler;
  readonly settlements: Settlements;
  readonly keeper: Keeper;
  readonly breaking: Breaking;
  readonly releases: Releases;
  readonly handouts: Handouts;
  readonly closing: Closing;
}

/** Makes the parts of a consumer, each of which is told what came of what another did: a message goes from one to the next. */
export function createParts(host: PartsHost, context: QueueContext, mode: DeliveryMode): Parts {
  const { options, stats, extended } = host;
  const { maxRetries, isolateSuspects, order, rate, batchSize, visibilityTimeoutMs } = options;
  const { time, survived } = context;
  const wake = (): void => host.wake();
  const hasten = (): void => host.hasten();
  const isClosed = (): boolean => host.isClosed;
  const onFinal = (error: unknown): void => void host.close('failed', { error });
  const report = createReporter(options, stats, context.observers);
  const leftovers = new Leftovers();
  const shared = { ...context, options, stats, leftovers, report, wake, hasten, isClosed, onFinal, onEnd: wake };

  const isolates = isolateSuspects && order === undefined;
  const holdings = new Holdings(maxRetries, {
    order: order === undefined ? 'any' : order.key === undefined ? 'as queued' : 'by key',
    suspectFrom: isolates ? suspectFrom(maxRetries) : Infinity,
    survived,
  });
  const serial = new SerialTime(visibilityTimeoutMs);
  const signals = new LeaseSignals(() => time.now(), wake);
  const puller = new Puller({ ...shared, onAnswer: (answer) => arrivals.answered(answer) });
  const intake = new Intake({
    ...shared,
    accept: (messages, answer) => {
      if (!host.isClosed) arrivals.accept(messages, answer);
    },
    onJudged: hasten,
    reject: (lease, action, error) => {
      settlements.settleUnstarted(lease, action === 'ack' ? 'ack' : 'retry');
      wake();
      if (action === 'throw') onFinal(error);
    },
  });
  const settler = new Settler({
    ...shared,
    batchSize,
    visibilityTimeoutMs,
    roundTripMs: () => puller.roundTripMs,
    onOutcome: (lease, settlement) => {
      settlements.conclude(lease, settlement);
      expectComeback(held, lease, settlement.outcome === 'retried', closing.hasBegun);
    },
  });
  const breaking = new Breaking({ ...shared, holdings, puller });
  const settlements = new Settlements({
    ...shared,
    holdings,
    signals,
    settler,
    breaking,
    onSettled: (lease, now) => {
      if (handouts.mode.unseen || lease.isParked) handouts.finish(lease, now);
      wake();
    },
  });
  const keeper = new Keeper({ ...shared, holdings, signals, breaking, settlements });
  const isPending = (): boolean => settler.unconfirmed + settlements.claimed + intake.held > 0 || puller.isPulling;
  const isolation = isolates ? new Isolation(holdings, visibilityTimeoutMs, isPending) : undefined;
  const limits = [
    ...breaking.limits,
    ...(isolation === undefined ? [] : [isolation]),
    ...(rate === undefined ? [] : [new RateLimit(rate, (now) => time.toMonotonic(now))]),
  ];
  const held = { ...shared, holdings, signals, puller, intake, settler, settlements, breaking, isolation, serial };
  const releases = new Releases(held);
  const handouts = new Handouts({ ...held, releases, limits }, mode);
  const demand = new Demand({ ...held, handouts });
  const arrivals = new Arrivals({ ...held, handouts, demand, onOver: () => void host.close('empty') });
  const closing = new Closing({ ...held, releases, handouts, extended });
  return {
    holdings,
    isolation,
    serial,
    signals,
    demand,
    puller,
    intake,
    arrivals,
    settler,
    settlements,
    keeper,
    breaking,
    releases,
    handouts,
    closing,
  };
}
