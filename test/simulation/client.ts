import type { ConsumeOptions } from '../../src/consumer/consume-options.ts';
import type { ConsumerEvent } from '../../src/consumer/events.ts';
import type { ConsumerSummary } from '../../src/consumer/stats.ts';
import type { QueueTransport } from '../../src/contract/transport.ts';
import { openQueue } from '../../src/queue/open-queue.ts';
import type { CloudflareTransportOptions } from '../../src/transports/cloudflare/options.ts';
import { createCloudflareTransport } from '../../src/transports/cloudflare/transport.ts';
import { CountedSignal } from './counted-signal.ts';
import type { HandlerLog } from './handler-log.ts';
import { PlannedHandler } from './handler-plan.ts';
import { MachineClock } from './machine-clock.ts';
import type { Moment } from './moment.ts';
import type { SimulatedNetwork } from './network.ts';
import { never, type ProcessClock } from './process-clock.ts';
import type { ClientPlan, Schedule } from './schedule.ts';
import { seededRandom } from './seeded-random.ts';
import { plannedAnswers, SimulatedSchema } from './simulated-schema.ts';
import type { Sequence } from './sequence.ts';
import { isOrdered, numberOf } from './order-plan.ts';
import type { Desk, RunningSurface, Surface, Wait } from './surface.ts';
import { surfaces } from './surfaces.ts';
import type { Watch } from './watch.ts';

/** A pull at the moment the engine decided on it. */
export interface PullNote extends Moment {
  readonly ask: number;
  readonly visibilityTimeoutMs: number;
  /** Messages leased and not handed out, as the consumer counts them; `undefined` where it does not tell. */
  readonly unstarted: number | undefined;
}

/** What was left of a client when its consumer had closed. */
export interface Remains extends Moment {
  readonly openCalls: number;
  readonly timers: number;
  readonly listeners: number;
}

/** A wall clock that was set. */
interface Jump {
  readonly at: number;
  readonly ms: number;
}

/** A reader that went away. */
export interface Leave {
  readonly called: Moment;
  /** When it need not wait any longer, and what was left then. */
  readonly remains: Remains;
}

/** One client after a run: one process of it, where it was started again. */
export interface ClientRun {
  readonly client: number;
  /** When it was started, in true time. */
  readonly startedAt: number;
  /** When its process vanished; nothing remains of it then. */
  readonly crashed: Moment | undefined;
  readonly plan: ClientPlan;
  readonly surface: Surface;
  /** `undefined` where its process vanished, or the consumer failed and its surface tells nothing else then. */
  readonly summary: ConsumerSummary | undefined;
  readonly remains: Remains;
  readonly waits: readonly Wait[];
  readonly pulls: readonly PullNote[];
  /** When it was told to end, and when its reader went away. */
  readonly endings: readonly Moment[];
  /** Its reader's goings away. */
  readonly leaves: readonly Leave[];
  /** When its wall clock was set, and by how much. */
  readonly jumps: readonly Jump[];
  /** Until when it was told to end; `Infinity` when nobody set it a time. */
  readonly graceEndsAt: number;
  /** The same if a reader that goes away from what is ending already has something left to end. */
  readonly graceMayEndAt: number;
  /** See {@link MachineClock.isDeceived}. */
  readonly isDeceived: boolean;
}

interface ClientDeps {
  readonly client: number;
  readonly plan: ClientPlan;
  readonly schedule: Schedule;
  /** When the schedule began. */
  readonly startedAt: number;
  /** The true time in its process. */
  readonly truth: ProcessClock;
  readonly sequence: Sequence;
  readonly network: SimulatedNetwork;
  readonly log: HandlerLog;
  /** Whether a schema should let this body pass. */
  readonly fits: (body: unknown) => boolean;
  readonly connection: CloudflareTransportOptions;
  /** The queue that handlers move messages to. */
  readonly otherConnection: CloudflareTransportOptions;
  /** Who follows what it does. */
  readonly watch: Watch | undefined;
}

/** One consumer in a process and on a machine of its own. */
export class Client {
  readonly #deps: ClientDeps;
  readonly #machine: MachineClock;
  readonly #signal = new CountedSignal();
  readonly #waits: Wait[] = [];
  readonly #pulls: PullNote[] = [];
  readonly #endings: Moment[] = [];
  readonly #leaves: Promise<Leave>[] = [];
  readonly #startedAt: number;
  readonly #vanished: Promise<void>;
  readonly #jumps: Jump[] = [];
  #surface: RunningSurface | undefined;
  #remains: Remains | undefined;
  #crashed: Moment | undefined;
  #onCrash: () => void = () => undefined;
  #graceEndsAt = Infinity;
  #graceMayEndAt = Infinity;

  constructor(deps: ClientDeps) {
    this.#deps = deps;
    this.#machine = new MachineClock(deps.truth);
    this.#startedAt = deps.truth.now();
    this.#vanished = new Promise((resolve) => {
      this.#onCrash = resolve;
    });
  }

  start(): void {
    const { client, plan, schedule, truth, sequence, log, connection, otherConnection, watch } = this.#deps;
    const { seed } = schedule;
    const surface: Surface = surfaces[plan.surface];
    const transport = this.#observed(createCloudflareTransport({ ...connection, clock: this.#machine }));
    const { validate, onRejected } = plan.callbacks ?? {};
    const judge = { client, clock: truth, log, blocksMs: validate };
    const schema = plan.schema && new SimulatedSchema(judge, plan.schema, this.#deps.fits);
    const queue = openQueue({
      transport,
      clock: this.#machine,
      random: seededRandom(seed + 100 + client),
      ...(schema && { schema }),
      ...(watch && { observer: watch.observer }),
    });
    // Reached over the same network by a handle of its own, which goes on when the consumer has closed.
    const otherQueue = openQueue({ ...otherConnection, clock: this.#machine.beside, random: seededRandom(seed + 300) });
    const random = seededRandom(seed + 200 + client);
    const close = (): Promise<unknown> => {
      this.#noteEnding();
      return this.#surface?.close() ?? Promise.resolve();
    };
    const byHand = !surface.isAuto;
    const handler = new PlannedHandler({
      client,
      clock: truth,
      log,
      random,
      plan: plan.handler,
      byHand,
      otherQueue,
      close,
      isDown: () => surface.goesOn === true && this.#isDown(),
      isPoison: ({ body }) => numberOf(body) === schedule.crashes?.poison,
      crash: () => this.crash(),
    });
    const desk: Desk = {
      queue,
      otherQueue,
      plan,
      options: this.#options(),
      sequence,
      receive: (message) => log.receive(message),
      handle: (messages, handed, forward) => {
        watch?.started(messages);
        return handler.handle(messages, handed, forward);
      },
      abort: () => this.#signal.abort(),
      leaving: () => this.#noteLeaving(),
      onRejected: () => this.#keepLoop(onRejected),
      waits: this.#waits,
    };
    this.#surface = watch === undefined ? surface.start(desk) : watch.within(() => surface.start(desk));
    void this.#surface.closed.then(() => {
      if (!this.hasVanished) this.#remains = this.#whatRemains();
    });
  }

  #isDown(): boolean {
    const { schedule, startedAt, truth } = this.#deps;
    const passedMs = truth.now() - startedAt;
    return schedule.outages?.some(({ atMs, forMs }) => passedMs >= atMs && passedMs < atMs + forMs) ?? false;
  }

  #keepLoop(ms: number | undefined): void {
    if (ms !== undefined && !this.hasVanished) this.#deps.log.keepLoop(ms);
  }

  #options(): ConsumeOptions & { readonly maxInFlight: number } {
    const { client, plan, schedule, truth, log } = this.#deps;
    const { visibilityTimeoutMs, maxRetries } = schedule;
    const { breaker, maxInFlight, batchSize, onInvalid, stopWhenEmpty, rate, callbacks = {} } = plan;
    const surface: Surface = surfaces[plan.surface];
    const common = {
      visibilityTimeoutMs,
      maxRetries,
      maxInFlight,
      batchSize,
      signal: this.#signal.signal,
      ...(breaker !== undefined && { breaker }),
      ...(stopWhenEmpty && { stopWhenEmpty }),
      ...(isOrdered(plan) && { ordered: true }),
      ...(rate && surface.concurrency && { rate }),
    };
    if (typeof onInvalid === 'object') {
      const answer = plannedAnswers({ client, clock: truth, log, blocksMs: callbacks.onInvalid }, onInvalid);
      return { ...common, onInvalid: answer, onEvent: () => this.#keepLoop(callbacks.onEvent) };
    }
    const onEvent = (event: ConsumerEvent): void => {
      this.#keepLoop(callbacks.onEvent);
      if (event.type === 'invalid') log.decide(log.invalid(client, event.message), onInvalid ?? 'retry');
    };
    return { ...common, onEvent, ...(onInvalid && { onInvalid }) };
  }

  #observed(transport: QueueTransport): QueueTransport {
    return {
      ...transport,
      pull: (request, options) => {
        if (this.hasVanished) return never();
        const unstarted = this.#surface?.stats()?.buffered;
        const { sequence, truth } = this.#deps;
        const { batchSize: ask = 5, visibilityTimeoutMs = 30_000 } = request;
        this.#pulls.push({ seq: sequence.next(), at: truth.now(), ask, visibilityTimeoutMs, unstarted });
        return transport.pull(request, options);
      },
    };
  }

  #whatRemains(): Remains {
    const { client, network, log } = this.#deps;
    return {
      ...log.moment(),
      openCalls: network.open(client).length,
      timers: this.#machine.pendingTimers,
      listeners: this.#signal.listeners,
    };
  }

  #noteEnding(): void {
    if (!this.hasVanished) this.#endings.push(this.#deps.log.moment());
  }

  /** A reader that goes away from what has ended already changes nothing. */
  #noteLeaving(): void {
    if (surfaces[this.#deps.plan.surface].leavesAtOnce && this.#remains === undefined) {
      this.#graceMayEndAt = Math.min(this.#graceMayEndAt, this.#deps.truth.now());
      if (this.#endings.length === 0) this.#graceEndsAt = this.#deps.truth.now();
    }
    this.#noteEnding();
  }

  leave(): void {
    this.#leaves.push(this.#leave());
  }

  async #leave(): Promise<Leave> {
    this.#noteLeaving();
    const called = this.#deps.log.moment();
    await this.#surface?.leave();
    return { called, remains: this.#whatRemains() };
  }

  close(graceMs = Infinity): void {
    this.#noteEnding();
    if (surfaces[this.#deps.plan.surface].hasGrace && this.#remains === undefined) {
      this.#graceEndsAt = Math.min(this.#graceEndsAt, this.#deps.truth.now() + graceMs);
    }
    void this.#surface?.close(graceMs === Infinity ? undefined : graceMs);
  }

  abort(): void {
    this.#noteEnding();
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
    this.#jumps.push({ at: this.#deps.truth.now(), ms });
  }

  get hasVanished(): boolean {
    return this.#deps.truth.hasVanished;
  }

  /** Its process vanishes. One whose consumer has closed has nothing more to do with this. */
  crash(): void {
    if (this.#remains !== undefined) return;
    this.#deps.truth.hasVanished = true;
    this.#crashed = this.#deps.log.moment();
    this.#remains = { ...this.#crashed, openCalls: 0, timers: 0, listeners: 0 };
    this.#onCrash();
  }

  /** Resolves when it has ended or vanished. */
  async end(): Promise<ClientRun> {
    const summary = await Promise.race([this.#vanished.then(() => undefined), this.#closed()]);
    if (this.#remains === undefined) throw new Error('The consumer closed unseen');
    const { client, plan } = this.#deps;
    const remains = this.#remains;
    const crashed = this.#crashed;
    const { isDeceived } = this.#machine;
    const surface: Surface = surfaces[plan.surface];
    return {
      client,
      startedAt: this.#startedAt,
      crashed,
      plan,
      surface,
      summary,
      remains,
      waits: this.#waits,
      pulls: this.#pulls,
      endings: this.#endings,
      jumps: this.#jumps,
      leaves: crashed === undefined ? await Promise.all(this.#leaves) : [],
      graceEndsAt: this.#graceEndsAt,
      graceMayEndAt: Math.min(this.#graceEndsAt, this.#graceMayEndAt),
      isDeceived,
    };
  }

  async #closed(): Promise<ConsumerSummary | undefined> {
    if (this.#surface === undefined) throw new Error('The client was not started');
    const summary = await this.#surface.closed;
    if (summary === undefined || summary.reason === 'failed') await this.#surface.done.catch(() => undefined);
    else await this.#surface.done;
    return summary;
  }
}
