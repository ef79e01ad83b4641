import type { Clock } from '../contract/clock.ts';
import type { BrokerFetch } from './broker-fetch.ts';
import type { MessageQueue } from './queue/queue.ts';

/** The options with which a client reaches a queue of the broker: spread them into `openQueue`. */
export interface QueueConnection {
  /** The broker's account. */
  readonly accountId: string;
  /** The id of the queue. */
  readonly queueId: string;
  /** The name of the queue. */
  readonly queueName: string;
  /** What the broker lets in. */
  readonly apiToken: string;
  /** The address of its API. */
  readonly baseUrl: string;
  /** The broker's clock, when one was given to it. */
  readonly clock?: Clock;
}

/** A {@link QueueConnection} within the process. */
export interface InProcessConnection extends QueueConnection {
  /** Asks the broker without a socket. */
  readonly fetch: BrokerFetch;
}

/** What all connections to a broker have in common. */
export interface BrokerAccess {
  readonly accountId: string;
  readonly apiToken: string;
  /** The broker's clock, when one was given to it. */
  readonly clock: Clock | undefined;
}

/** How clients reach a queue by that base URL. */
export function connectionTo(queue: MessageQueue, access: BrokerAccess, baseUrl: string): QueueConnection {
  const { accountId, apiToken, clock } = access;
  const connection = { accountId, queueId: queue.id, queueName: queue.name, apiToken, baseUrl };
  return clock === undefined ? connection : { ...connection, clock };
}
