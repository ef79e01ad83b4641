import type { QueueTransport } from '../contract/transport.ts';
import type { Broker } from './broker.ts';
import { type BrokerFetch, createBrokerFetch } from './broker-fetch.ts';
import type { BrokerOptions, ResolvedBrokerOptions } from './broker-options.ts';
import { type BrokerServer, serveBroker } from './broker-server.ts';
import { DirectTransport } from './direct-transport.ts';
import { answerWhenKept } from './durability/answer-when-kept.ts';
import type { Recorder } from './durability/recorder.ts';
import { latestTimeOf, type SavedBroker } from './durability/saved.ts';
import type { SubscribedEvent } from './events/emit-event.ts';
import { type EventSubscription, subscribe } from './events/subscribe.ts';
import type { FaultOptions } from './faults/fault-options.ts';
import { FaultInjector } from './faults/faults.ts';
import type { ApiHandler } from './http/api-exchange.ts';
import { createHandler } from './http/handler.ts';
import type { ListenOptions } from './http/listen.ts';
import { basePath } from './http/routes.ts';
import type { Identities } from './queue/identities.ts';
import { openQueues } from './queue/open-queues.ts';
import type { MessageQueue } from './queue/queue.ts';
import { QueueRegistry } from './queue/queue-registry.ts';
import type { QueueSettings } from './queue/settings.ts';
import { type QueueSnapshot, snapshotOf } from './queue/snapshot.ts';
import { pushFromWorker, type WorkerMessage } from './queue/worker-push.ts';
import { type BrokerAccess, connectionTo, type InProcessConnection, type QueueConnection } from './queue-connection.ts';

/** What a broker is made over, when more is known than its options. */
export interface BrokerFoundation {
  readonly options: BrokerOptions;
  readonly resolved: ResolvedBrokerOptions;
  readonly identities: Identities;
  readonly recorder?: Recorder;
  readonly saved?: SavedBroker;
}

/** Makes a broker, with what was kept of an earlier one if there is something. */
export function createBrokerOver(foundation: BrokerFoundation): Broker {
  return new InMemoryBroker(foundation);
}

/** What answers the requests of a broker, without what the platform's `fetch` needs around it. */
export function handlerOf(broker: Broker): ApiHandler {
  return InMemoryBroker.handlerOf(broker);
}

// A base URL that no request can leave the process by, should it be used without the fetch.
const inProcessBaseUrl = `https://broker.invalid${basePath}`;

class InMemoryBroker implements Broker {
  readonly #options: ResolvedBrokerOptions;
  readonly #access: BrokerAccess;
  readonly #queues: QueueRegistry;
  /** Resolves once all changes are kept; absent where nothing is. */
  readonly #flush: (() => Promise<void>) | undefined;
  readonly #faults: FaultInjector;
  readonly #handle: ApiHandler;
  readonly fetch: BrokerFetch;

  constructor({ options, resolved, identities, recorder, saved }: BrokerFoundation) {
    const { accountId, credentials } = resolved;
    this.#options = resolved;
    this.#access = { accountId, apiToken: credentials.apiToken, clock: options.clock };
    const { clock, random, onJournal, behaviour } = resolved;
    this.#faults = new FaultInjector(clock);
    this.#faults.set(resolved.faults);
    const { repeats } = this.#faults;
    if (saved !== undefined) clock.startAt(latestTimeOf(saved));
    this.#queues = new QueueRegistry({ clock, random, identities, behaviour, repeats, onJournal, recorder });
    if (saved !== undefined) this.#queues.restore(saved);
    openQueues(this.#queues, options.queues ?? {});
    this.#flush = recorder && ((): Promise<void> => recorder.flush());
    const handler = createHandler({ ...resolved, faults: this.#faults, queues: this.#queues });
    this.#handle = this.#faults.wrap(this.#flush === undefined ? handler : answerWhenKept(handler, this.#flush));
    this.fetch = createBrokerFetch(this.#handle, this.#faults);
  }

  static handlerOf(broker: Broker): ApiHandler {
    if (!(#handle in broker)) throw new TypeError('No other broker has this');
    return broker.#handle;
  }

  queue(name: string, settings?: QueueSettings): InProcessConnection {
    return { ...this.#connect(name, settings, inProcessBaseUrl), fetch: this.fetch };
  }

  queueNames(): readonly string[] {
    return this.#queues.all().map(({ name }) => name);
  }

  transport(name: string): QueueTransport {
    return new DirectTransport(this.#queues.open(name), this.#options.behaviour, this.#flush);
  }

  push(name: string, message: WorkerMessage): string {
    return pushFromWorker(this.#find(name, 'push'), message);
  }

  subscribe(name: string, subscription: EventSubscription): string {
    return subscribe(this.#queues, this.#find(name, 'subscribe'), subscription);
  }

  emitEvent(subscriptionId: string, event: SubscribedEvent): string | undefined {
    return this.#queues.emit(subscriptionId, event, this.#options.accountId);
  }

  inspect(name: string): QueueSnapshot {
    return snapshotOf(this.#find(name, 'inspect'), this.#options.clock.now());
  }

  isEmpty(name: string): boolean {
    return this.#find(name, 'inspect').metrics().backlogCount === 0;
  }

  setFaults(faults: FaultOptions): void {
    this.#faults.set(faults);
  }

  listen(options?: ListenOptions): Promise<BrokerServer> {
    return serveBroker(
      {
        ...this.#access,
        handle: this.#handle,
        connect: (name, settings, baseUrl) => this.#connect(name, settings, baseUrl),
      },
      options,
    );
  }

  #connect(name: string, settings: QueueSettings | undefined, baseUrl: string): QueueConnection {
    return connectionTo(this.#queues.open(name, settings), this.#access, baseUrl);
  }

  #find(name: string, action: string): MessageQueue {
    const queue = this.#queues.find(name);
    if (queue === undefined) throw new RangeError(`Cannot ${action}: there is no queue named '${name}'`);
    return queue;
  }
}
