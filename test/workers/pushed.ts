import type { PushedBatch, PushedMessage } from '../../src/workers.ts';

/** What became of a message, as the platform is told. */
export type Told = 'ack' | 'retry' | { readonly retryIn: number };

/** A batch as the platform gives it, that notes what it is told, the first word alone. */
export function pushedBatch(...bodies: readonly unknown[]): PushedBatch & { readonly told: Record<string, Told> } {
  const told: Record<string, Told> = {};
  const messages = bodies.map((body, index): PushedMessage => {
    const id = `m${index}`;
    return {
      id,
      body,
      attempts: 1,
      timestamp: new Date(1_000),
      ack: () => void (told[id] ??= 'ack'),
      retry: ({ delaySeconds } = {}) =>
        void (told[id] ??= delaySeconds === undefined ? 'retry' : { retryIn: delaySeconds }),
    };
  });
  return { queue: 'jobs', messages, told };
}
