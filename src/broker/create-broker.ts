import type { Broker } from './broker.ts';
import { type BrokerOptions, resolveBrokerOptions } from './broker-options.ts';
import { createBrokerOver } from './in-memory-broker.ts';
import { Identities } from './queue/identities.ts';

/**
 * Makes a broker: Cloudflare Queues with HTTP pull consumers, in memory, within the process or on a socket.
 *
 * @example
 * ```ts
 * import { createBroker } from 'leasestream/broker';
 *
 * const broker = createBroker({ queues: { jobs: { maxRetries: 5, deadLetterQueue: 'failed-jobs' } } });
 * const { accountId, queueId, apiToken, baseUrl } = broker.queue('jobs');
 * const answer = await broker.fetch(`${baseUrl}/accounts/${accountId}/queues/${queueId}/messages/pull`, {
 *   method: 'POST',
 *   headers: { authorization: `Bearer ${apiToken}` },
 *   body: '{}',
 * });
 * ```
 * @throws TypeError or RangeError naming the option, its rule and its value
 */
export function createBroker(options: BrokerOptions = {}): Broker {
  const resolved = resolveBrokerOptions(options);
  return createBrokerOver({ options, resolved, identities: new Identities(resolved.random) });
}
