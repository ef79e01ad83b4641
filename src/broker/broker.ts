import type { AsyncDisposal } from '../contract/async-disposal.ts';
import { execute } from 'abort-controller-x';
import type { Clock } from '../contract/clock.ts';
import type { QueueTransport } from '../contract/transport.ts';
import { type BrokerOptions, type ResolvedBrokerOptions, resolveBrokerOptions } from './broker-options.ts';
import { DirectTransport } from './direct-transport.ts';
import type { SubscribedEvent } from './events/emit-event.ts';
import type { FaultOptions } from './faults/fault-options.ts';
import { FaultInjector } from './faults/faults.ts';
import { createHandler } from './http/handler.ts';
import { Identities } from './queue/identities.ts';
import type { ListenOptions } from './http/listen.ts';
import { checkReach } from './http/loopback.ts';
import { refusalFor } from './http/mistake.ts';
import type { MessageQueue } from './queue/queue.ts';
import { QueueRegistry } from './queue/queue-registry.ts';
import type { Recorder } from './durability/recorder.ts';
import { basePath } from './http/routes.ts';
import { latestTimeOf, type SavedBroker } from './durability/saved.ts';
import type { QueueSettings } from './queue/settings.ts';
import { type QueueSnapshot, snapshotOf } from './queue/snapshot.ts';
import { type EventSubscription, subscribe } from './events/subscribe.ts';
import { answerRefusal } from './http/wire-answers.ts';
import { pushFromWorker, type WorkerMessage } from './queue/worker-push.ts';

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

/** The broker in the form of the platform's `fetch`. */
export type BrokerFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** A broker on a socket. */
export interface BrokerServer extends AsyncDisposal {
  /** Where it listens, 1..65 535. */
  readonly port: number;
  /** `http://127.0.0.1:<port>/client/v4` */
  readonly baseUrl: string;
  /** The broker's account. */
  readonly accountId: string;
  /** What it lets in. */
  readonly apiToken: string;
  /** As {@link Broker.queue}, over the socket. */
  queue(name: string, settings?: QueueSettings): QueueConnection;
  /** Ends the socket and all its connections; answers that are being made still go out. The broker goes on. */
  close(): Promise<void>;
}

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

// A base URL that no request can leave the process by, should it be used without the fetch.
const inProcessBaseUrl = `https://broker.invalid${basePath}`;

class InMemoryBroker implements Broker {
  readonly #options: ResolvedBrokerOptions;
  readonly #givenClock: Clock | undefined;
  readonly #queues: QueueRegistry;
  /** Resolves once all changes are kept; absent where nothing is. */
  readonly #flush: (() => Promise<void>) | undefined;
  readonly #faults: FaultInjector;
  readonly #handle: (request: Request) => Promise<Response>;

  constructor({
    options: { clock: givenClock, queues = {} },
    resolved,
    identities,
    recorder,
    saved,
  }: BrokerFoundation) {
    this.#options = resolved;
    this.#givenClock = givenClock;
    const { clock, random, onJournal, behaviour } = resolved;
    this.#faults = new FaultInjector(clock);
    this.#faults.set(resolved.faults);
    const { repeats } = this.#faults;
    if (saved !== undefined) clock.startAt(latestTimeOf(saved));
    this.#queues = new QueueRegistry({ clock, random, identities, behaviour, repeats, onJournal, recorder });
    if (saved !== undefined) this.#queues.restore(saved);
    openQueues(this.#queues, queues);
    this.#flush = recorder && ((): Promise<void> => recorder.flush());
    const handler = createHandler({ ...resolved, faults: this.#faults, queues: this.#queues });
    this.#handle = this.#faults.wrap(this.#flush === undefined ? handler : keeping(handler, this.#flush));
  }

  readonly fetch: BrokerFetch = async (input, init = {}) => {
    // The signal is kept from the Request, which would add a listener to it and let it go only with the garbage.
    const signal = init.signal ?? (input instanceof Request ? input.signal : undefined);
    signal?.throwIfAborted();
    const handled = this.#handle(new Request(input, { ...init, signal: null }));
    const response = await (signal && this.#faults.isSlow ? raceAgainst(signal, handled) : handled);
    signal?.throwIfAborted();
    return response;
  };

  queue(name: string, settings?: QueueSettings): InProcessConnection {
    return { ...this.#connection(name, settings, inProcessBaseUrl), fetch: this.fetch };
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

  async listen(options?: ListenOptions): Promise<BrokerServer> {
    if (options?.host !== undefined) checkReach(options.host, this.#options.credentials.apiToken);
    // Not a static import: it needs node:http, and everything else here runs anywhere.
    const { listen } = await import('./http/listen.ts');
    const { port, origin, close } = await listen(this.#handle, options);
    const baseUrl = `${origin}${basePath}`;
    return {
      port,
      baseUrl,
      accountId: this.#options.accountId,
      apiToken: this.#options.credentials.apiToken,
      queue: (name, settings) => this.#connection(name, settings, baseUrl),
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  #connection(name: string, settings: QueueSettings | undefined, baseUrl: string): QueueConnection {
    const { accountId, credentials } = this.#options;
    const queue = this.#queues.open(name, settings);
    const connection = { accountId, queueId: queue.id, queueName: queue.name, apiToken: credentials.apiToken, baseUrl };
    return this.#givenClock === undefined ? connection : { ...connection, clock: this.#givenClock };
  }

  #find(name: string, action: string): MessageQueue {
    const queue = this.#queues.find(name);
    if (queue === undefined) throw new RangeError(`Cannot ${action}: there is no queue named '${name}'`);
    return queue;
  }
}

/** Opens queues. What is given for a former name of a queue that is itself given is left out: it is the older one. */
function openQueues(registry: QueueRegistry, queues: Readonly<Record<string, QueueSettings>>): void {
  for (const [name, settings] of Object.entries(queues)) {
    const holder = registry.find(name)?.name ?? name;
    if (holder === name || !Object.hasOwn(queues, holder)) registry.open(name, settings);
  }
}

/** Rejects with the signal's reason as soon as it aborts; what is under way is left to end by itself. */
function raceAgainst<Result>(signal: AbortSignal, task: Promise<Result>): Promise<Result> {
  return execute<Result>(signal, (resolve, reject) => {
    task.then(resolve, reject);
    return () => reject(signal.reason);
  });
}

/** Lets an answer go out only when what it says is kept. */
function keeping(
  handler: (request: Request) => Promise<Response>,
  flush: () => Promise<void>,
): (request: Request) => Promise<Response> {
  return async (request) => {
    const response = await handler(request);
    try {
      await flush();
      return response;
    } catch (error) {
      return answerRefusal(refusalFor(error));
    }
  };
}
