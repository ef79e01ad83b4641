import type { QueueTransport } from '../contract/transport.ts';
import type { BrokerFetch } from './broker-fetch.ts';
import type { BrokerServer } from './broker-server.ts';
import type { SubscribedEvent } from './events/emit-event.ts';
import type { EventSubscription } from './events/subscribe.ts';
import type { FaultOptions } from './faults/fault-options.ts';
import type { ListenOptions } from './http/listen.ts';
import type { QueueSettings } from './queue/settings.ts';
import type { QueueSnapshot } from './queue/snapshot.ts';
import type { WorkerMessage } from './queue/worker-push.ts';
import type { InProcessConnection } from './queue-connection.ts';

/** An embedded broker: queues in memory that answer Cloudflare's HTTP API. */
export interface Broker {
  /** Answers a request as the service would. May be handed on as a `fetch`. Rejects only when the request is aborted. */
  readonly fetch: BrokerFetch;
  /**
   * Opens a queue, made if it is absent. One that a client renamed is found by its old name as well, until another has it.
   *
   * @param settings - laid over the settings that it has
   * @returns what to spread into `openQueue`
   * @throws TypeError or RangeError when the name or a setting is wrong
   */
  queue(name: string, settings?: QueueSettings): InProcessConnection;
  /** The names of all queues, in the order in which they were made. */
  queueNames(): readonly string[];
  /** Opens a queue, made if it is absent, as a port without HTTP in between. */
  transport(name: string): QueueTransport;
  /**
   * Pushes a message as a Worker would: of any content type, and of any size.
   *
   * @returns the message's id
   * @throws RangeError when there is no such queue, TypeError when the body is not of its content type
   */
  push(name: string, message: WorkerMessage): string;
  /**
   * Subscribes a queue to events, as `POST /event_subscriptions/subscriptions` does. None happens by itself:
   * {@link Broker.emitEvent} lets one happen.
   *
   * @returns the id of the subscription
   * @throws RangeError when there is no such queue, or the source has a subscription already; Error for a wrong source or event
   */
  subscribe(name: string, subscription: EventSubscription): string;
  /**
   * Lets an event of a subscription happen: pushes it into the queue, in the form of the service.
   *
   * @example
   * ```ts
   * import { openQueue } from 'leasestream';
   * import { createBroker } from 'leasestream/broker';
   *
   * const broker = createBroker();
   * const queue = openQueue<{ type: string; payload: { name: string } }>(broker.queue('events'));
   * const id = broker.subscribe('events', { source: { type: 'r2' }, events: ['bucket.created'] });
   * broker.emitEvent(id, { event: 'bucket.created', payload: { name: 'uploads' } });
   * for await (const { body } of queue.consume({ stopWhenEmpty: true })) {
   *   console.log(body.type, body.payload.name); // cf.r2.bucket.created uploads
   * }
   * ```
   * @returns the message's id; `undefined` when the subscription is not enabled
   * @throws RangeError when there is no such subscription, or it is not for that event
   */
  emitEvent(subscriptionId: string, event: SubscribedEvent): string | undefined;
  /** Copies a queue as it stands now. Costs as much as there are messages. @throws RangeError when there is none */
  inspect(name: string): QueueSnapshot;
  /** Whether a queue has no message: none ready, delayed or leased. @throws RangeError when there is no such queue */
  isEmpty(name: string): boolean;
  /**
   * Lets requests over HTTP go wrong from now on, in place of what went wrong before; `{}` ends it. Over a socket,
   * `PUT /leasestream/faults` does the same, with this as JSON and the API token.
   *
   * @example
   * ```ts
   * import { openQueue } from 'leasestream';
   * import { createBroker } from 'leasestream/broker';
   *
   * const broker = createBroker();
   * const queue = openQueue(broker.queue('jobs'));
   * broker.setFaults({ seed: 7, failAfter: 0.5, calls: ['push'] });
   * await queue.send({ id: 1 }); // repeated until it is confirmed, so perhaps pushed more than once
   * broker.setFaults({});
   * ```
   * @throws TypeError or RangeError naming the option, its rule and its value
   */
  setFaults(faults: FaultOptions): void;
  /**
   * Answers on a socket as well, of Node or Bun.
   *
   * @throws TypeError for a host that others can reach, unless the broker has an `apiToken` of its own; what the system
   * says when the address can't be had
   */
  listen(options?: ListenOptions): Promise<BrokerServer>;
}
