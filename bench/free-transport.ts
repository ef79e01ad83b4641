import { randomBytes } from 'node:crypto';
import type { PulledMessage } from '../src/contract/message.ts';
import type { QueueTransport } from '../src/contract/transport.ts';

const idBytes = 16;
const metadata = { 'CF-Content-Type': 'json' };
const warnings: ReadonlyMap<string, string> = new Map();

/** So many messages as pulls give them; every id is a string of its own. */
export function makeMessages(count: number): PulledMessage[] {
  const bytes = randomBytes(count * idBytes);
  return Array.from({ length: count }, (_, n) => {
    const range = [n * idBytes, (n + 1) * idBytes] as const;
    return {
      id: bytes.toString('hex', ...range),
      leaseId: bytes.toString('base64', ...range),
      attempts: 1,
      timestampMs: 1_767_225_600_000,
      contentType: 'json',
      metadata,
      body: { n },
      bodyLength: 10,
    };
  });
}

/**
 * A transport that costs next to nothing, because no service is behind it: every settlement is confirmed at once.
 *
 * @param give - gives what a pull brings that asks for so many messages
 */
export function freeTransport(give: (asked: number) => readonly PulledMessage[]): QueueTransport {
  return {
    pull: ({ batchSize = 5 }) => Promise.resolve({ messages: give(batchSize) }),
    ack: ({ acks, retries }) =>
      Promise.resolve({ ackCount: acks.length, retryCount: retries.length, warnings, otherWarnings: [] }),
  } as Partial<QueueTransport> as QueueTransport;
}
