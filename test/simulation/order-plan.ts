import type { ClientPlan } from './schedule.ts';
import { parsedFrom } from './simulated-schema.ts';

/** In what order a client's messages are started: that of the queue, or the same within each of so many keys. */
export type OrderPlan = 'ordered' | { readonly keys: number };

/** Whether a client hands out in the order of the queue. */
export function isOrdered({ order }: ClientPlan): boolean {
  return order === 'ordered';
}

/** How many handlers `process` runs side by side: three, unless the plan says how many or keeps the order of the queue. */
export function handlersAtOnce(plan: ClientPlan): number {
  return isOrdered(plan) ? 1 : Math.min(plan.concurrency ?? 3, plan.maxInFlight);
}

/** What messages with the same of have to wait for each other, on a client that keeps an order; else `undefined`. */
export function laneOf({ order, surface }: ClientPlan, body: unknown): string | undefined {
  if (order === undefined) return undefined;
  if (order === 'ordered') return 'all';
  const isKeyed = surface === 'process' || surface === 'process → toWritableStream';
  return isKeyed ? `key ${numberOf(body) % order.keys}` : undefined;
}

/** What `process` is told of it. */
export function keyOption(plan: ClientPlan): { readonly key?: (message: { readonly body: unknown }) => string } {
  if (typeof plan.order !== 'object') return {};
  return { key: ({ body }) => laneOf(plan, body) ?? '' };
}

/** Messages carry their number, in one form or another. */
export function numberOf(body: unknown): number {
  const plain = parsedFrom(body);
  if (typeof plain === 'string') return Number(plain.slice(1));
  return typeof plain === 'object' && plain !== null && 'm' in plain ? Number(plain.m) : 0;
}
