import type { ManualClock } from '../../src/broker.ts';
import type { ConsumerSummary } from '../../src/consumer/stats.ts';
import type { QueueTransport } from '../../src/contract/transport.ts';
import { openQueue } from '../../src/queue/open-queue.ts';
import type { Fetch } from '../../src/transports/cloudflare/http.ts';
import { createCloudflareTransport } from '../../src/transports/cloudflare/transport.ts';
import { CountedSignal } from './counted-signal.ts';
import type { HandlerLog } from './handler-log.ts';
import { PlannedHandler } from './handler-plan.ts';
import { MachineClock } from './machine-clock.ts';
import type { SimulatedNetwork } from './network.ts';
import type { ClientPlan, Schedule } from './schedule.ts';
import { seededRandom } from './seeded-random.ts';
import type { Sequence } from './sequence.ts';
import type { RunningSurface, Surface, Wait } from './surface.ts';
import { surfaces } from './surfaces.ts';

/** A pull at the moment the engine decided on it. */
export interface PullNote {
  readonly seq: number;
  readonly at: number;
  readonly ask: number;
  /** Messages leased and not handed out, as the consumer counts them; `undefined` where it does not tell. */
  readonly unstarted: number | undefined;
}

/** What was left of a client when its consumer had closed. */
export interface Remains {
  readonly seq: number;
  readonly at: number;
  readonly openCalls: number;
  readonly timers: number;
  readonly listeners: number;
}

/** One client after a run. */
export interface ClientRun {
  readonly client: number;
  readonly plan: ClientPlan;
  readonly surface: Surface;
  /** `undefined` where the consumer failed and its surface tells nothing else then. */
  readonly summary: ConsumerSummary | undefined;
  readonly remains: Remains;
  readonly waits: readonly Wait[];
  readonly pulls: readonly PullNote[];
  /** Until when it was told to end; `Infinity` when nobody set it a time. */
  readonly graceEndsAt: number;
  /** See {@link MachineClock.isDeceived}. */
  readonly isDeceived: boolean;
}

interface ClientDeps {
  readonly client: number;
  readonly plan: ClientPlan;
  readonly schedule: Schedule;
  readonly truth: ManualClock;
  readonly sequence: Sequence;
  readonly network: SimulatedNetwork;
  readonly log: HandlerLog;
  readonly connection: { accountId: string; queueId: string; apiToken: string; baseUrl: string; fetch: Fetch };
}

/** One consumer on a machine of its own. */
export class Client {
  readonly #deps: ClientDeps;
  readonly #machine: MachineClock;
  readonly #signal = new CountedSignal();
  readonly #waits: Wait[] = [];
  readonly #pulls: PullNote[] = [];
  #surface: RunningSurface | undefined;
  #remains: Remains | undefined;
  #graceEndsAt = Infinity;

  constructor(deps: ClientDeps) {
    this.#deps = deps;
    this.#machine = new MachineClock(deps.truth);
  }

  start(): void {
    const { client, plan, schedule, truth, sequence, log, connection } = this.#deps;
    const { visibilityTimeoutMs, maxRetries, seed } = schedule;
    const { maxInFlight, batchSize } = plan;
    const surface: Surface = surfaces[plan.surface];
    const transport = this.#observed(createCloudflareTransport({ ...connection, clock: this.#machine }));
    const queue = openQueue({ transport, clock: this.#machine, random: seededRandom(seed + 100 + client) });
    const random = seededRandom(seed + 200 + client);
    const close = (): Promise<unknown> => this.#surface?.close() ?? Promise.resolve();
    const byHand = !surface.isAuto;
    const handler = new PlannedHandler({ client, clock: truth, log, random, plan: plan.handler, byHand, close });
    this.#surface = surface.start({
      queue,
      options: {
        visibilityTimeoutMs,
        maxRetries,
        maxInFlight,
        batchSize,
        signal: this.#signal.signal,
        onEvent: () => undefined,
      },
      sequence,
      handle: (messages) => handler.handle(messages),
      abort: () => this.#signal.abort(),
      waits: this.#waits,
    });
    void this.#surface.closed.then(() => this.#takeRemains());
  }

  #observed(transport: QueueTransport): QueueTransport {
    return {
      ...transport,
      pull: (request, options) => {
        const unstarted = this.#surface?.stats()?.buffered;
        const { sequence, truth } = this.#deps;
        this.#pulls.push({ seq: sequence.next(), at: truth.now(), ask: request.batchSize ?? 5, unstarted });
        return transport.pull(request, options);
      },
    };
  }

  #takeRemains(): void {
    const { client, network, sequence, truth } = this.#deps;
    this.#remains = {
      seq: sequence.next(),
      at: truth.now(),
      openCalls: network.open(client).length,
      timers: this.#machine.pendingTimers,
      listeners: this.#signal.listeners,
    };
  }

  close(graceMs = Infinity): void {
    this.#graceEndsAt = Math.min(this.#graceEndsAt, this.#deps.truth.now() + graceMs);
    void this.#surface?.close(graceMs === Infinity ? undefined : graceMs);
  }

  abort(): void {
    this.#signal.abort();
  }

  pause(forMs: number): void {
    this.#surface?.pause();
    this.#deps.truth.setTimer(() => this.#surface?.resume(), forMs);
  }

  sleep(): void {
    this.#machine.sleep();
  }

  jump(ms: number): void {
    this.#machine.jump(ms);
  }

  async end(): Promise<ClientRun> {
    if (this.#surface === undefined) throw new Error('The client was not started');
    const summary = await this.#surface.closed;
    if (summary === undefined || summary.reason === 'failed') await this.#surface.done.catch(() => undefined);
    else await this.#surface.done;
    if (this.#remains === undefined) throw new Error('The consumer closed unseen');
    const { client, plan } = this.#deps;
    const { isDeceived } = this.#machine;
    const surface: Surface = surfaces[plan.surface];
    return {
      client,
      plan,
      surface,
      summary,
      remains: this.#remains,
      waits: this.#waits,
      pulls: this.#pulls,
      graceEndsAt: this.#graceEndsAt,
      isDeceived,
    };
  }
}
