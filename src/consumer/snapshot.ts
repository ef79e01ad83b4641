import type { Parts } from './parts.ts';
import type { QueueContext } from './queue-context.ts';
import type { ConsumerState, ConsumerStats, StatsCounter } from './stats.ts';

/** A consumer, as it is looked at. */
interface Viewed {
  readonly parts: Parts;
  readonly stats: StatsCounter;
  readonly hasBegun: boolean;
  readonly isPaused: boolean;
  readonly isEnding: boolean;
  readonly isClosed: boolean;
}

function stateOf({ hasBegun, isPaused, isEnding, isClosed }: Viewed): ConsumerState {
  if (isEnding) return isClosed ? 'closed' : 'closing';
  if (isPaused) return 'paused';
  return hasBegun ? 'open' : 'new';
}

/** What a consumer did so far, and how it stands, as of now. */
export function takeSnapshot(viewed: Viewed, { time, gates }: Pick<QueueContext, 'time' | 'gates'>): ConsumerStats {
  const { breaking, closing, demand, handouts, holdings, puller, settler } = viewed.parts;
  const { stats } = viewed;
  const state = stateOf(viewed);
  const now = time.now();
  const heldBackUntil = gates.notBefore('pull');
  const toWall = (at: number): number | undefined =>
    Math.abs(at) === Infinity ? undefined : Math.round(time.toWall(at));
  return {
    ...stats,
    ...closing.cause,
    at: Math.round(time.toWall(now)),
    state,
    lastPullAt: toWall(puller.answeredAt),
    lastMessageAt: stats.received > 0 ? toWall(demand.lastMessageAt) : undefined,
    lastSettlementAt: toWall(settler.confirmedAt),
    pullDueAt: state === 'open' ? toWall(puller.dueAt) : undefined,
    heldBackUntil: heldBackUntil > now ? toWall(heldBackUntil) : undefined,
    stalledSince: toWall(handouts.stalledSince(now)),
    buffered: holdings.unstarted,
    breaker: breaking.stats,
  };
}
