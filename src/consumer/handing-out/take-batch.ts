import type { Lease } from '../../lease/lease.ts';
import { marginMs } from '../../lease/margin.ts';
import type { Engine } from '../engine.ts';
import type { Parts } from '../parts.ts';
import { DeliveredBatch } from './delivered-batch.ts';

/** When a batch is full enough to be handed out. */
export interface BatchBounds {
  readonly size: number;
  readonly maxWaitMs: number;
}

/**
 * How many messages the next batch has: as many as may be held, and as can be worked on one after the other while the first
 * lease lasts, where the work computes. It is due when it is full, when its first message has waited for long enough, or
 * when its first lease lasts no longer than a body is expected to take. Until then it waits for limits that don't let all of
 * it start.
 *
 * @returns the size, or when to look again
 */
function planBatch(parts: Parts, bounds: BatchBounds, now: number): { readonly size: number } | number {
  const { demand, handouts, holdings, puller, serial } = parts;
  const firstBatch = holdings.waiting.firstBatch();
  if (firstBatch === undefined) return Infinity;
  const leastMs = marginMs(firstBatch.timeoutMs, puller.roundTripMs);
  const waitedUntil = firstBatch.deadline - firstBatch.timeoutMs + bounds.maxWaitMs;
  const lastsUntil = firstBatch.deadline - handouts.handlers.estimateMs - leastMs;
  const dueAt = Math.min(waitedUntil, lastsUntil);
  const inTime = serial.startableWithin(Math.max(1, firstBatch.deadline - now - leastMs));
  const size = Math.max(1, Math.min(bounds.size, inTime, demand.unstartedBound(now)));
  const nextStartAt = handouts.nextStartAt(now, size);
  const isEarly = (holdings.buffered < size || nextStartAt < Infinity) && now < dueAt;
  return isEarly ? Math.min(dueAt, nextStartAt) : { size };
}

/**
 * Takes the next batch.
 *
 * @param isRun - whether the work on it is run by {@link DeliveredBatch.run}
 * @returns the batch, or when to look again
 */
export function takeBatch<Body>(
  engine: Engine,
  bounds: BatchBounds,
  now: number,
  isRun: boolean,
): DeliveredBatch<Body> | number {
  const plan = planBatch(engine.parts, bounds, now);
  if (typeof plan === 'number') return plan;
  const leases: Lease[] = [];
  while (leases.length < plan.size) {
    const lease = engine.take(now);
    if (lease === undefined) break;
    leases.push(lease);
  }
  return leases.length === 0 ? Infinity : new DeliveredBatch<Body>(leases, engine, isRun);
}
