import type { Scheduler } from 'fast-check';
import { handlerOf } from '../../src/broker/in-memory-broker.ts';
import { type Broker, createBroker, type JournalEntry, ManualClock, type MessageSnapshot } from '../../src/broker.ts';
import type { ContentType } from '../../src/contract/message.ts';
import type { CloudflareTransportOptions } from '../../src/transports/cloudflare/options.ts';
import { Client, type ClientRun } from './client.ts';
import { HandlerLog } from './handler-log.ts';
import { BrokerClock } from './machine-clock.ts';
import { SimulatedNetwork } from './network.ts';
import { ProcessClock } from './process-clock.ts';
import type { ClientPlan, Misfits, PlannedEvent, Schedule } from './schedule.ts';
import { seededRandom } from './seeded-random.ts';
import { Sequence } from './sequence.ts';
import { Supervisor } from './supervisor.ts';
import type { Watch } from './watch.ts';

/** An entry of the broker's journal, with its place among everything else that happened. */
export type LedgerEntry = JournalEntry & { readonly seq: number };

/** What a message carries. */
export interface Carried {
  readonly contentType: ContentType;
  readonly body: unknown;
  /** The body is what a pull shall give over the wire, and is not of its content type. */
  readonly raw: boolean;
  /** No schema lets it pass. */
  readonly isUnfit: boolean;
}

/** Everything that happened in one run. */
export interface Run {
  readonly schedule: Schedule;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly journal: readonly LedgerEntry[];
  readonly network: SimulatedNetwork;
  readonly log: HandlerLog;
  /** Those of the schedule, and each that took the place of one whose process had vanished. */
  readonly clients: readonly ClientRun[];
  /** When all machines but the broker's slept, and for how long. */
  readonly sleeps: readonly { readonly at: number; readonly ms: number }[];
  /** Messages in the queue at the end, as the broker counts them. */
  readonly inQueue: number;
  readonly inDeadLetterQueue: number;
  /** What was pushed, by the id of its message. */
  readonly pushed: ReadonlyMap<string, Carried>;
  /** What handlers moved to the other queue. */
  readonly inOtherQueue: readonly MessageSnapshot[];
}

/**
 * How long a run may take at most beyond its horizon: closing waits for leases, which may last for an hour, and settle calls
 * for their timeouts.
 */
const patienceMs = 2 * 3_600_000;

/** How long a push is repeated, and the longest that the last of its requests takes. */
const longestPushMs = 60_000 + 30_000 + 60_000;

/** How much time passes at once where a scheduler decides when. */
const stepMs = 25;
const mostSteps = 50_000;

/**
 * Runs a schedule from beginning to end.
 *
 * @param watch - gives who follows a client
 * @param scheduler - decides in what order requests and answers arrive and time passes, instead of the latencies
 */
export async function runWorld(
  schedule: Schedule,
  scheduler?: Scheduler,
  watch?: (client: number) => Watch,
): Promise<Run> {
  const world = new World(schedule, scheduler, watch);
  return world.run();
}

class World {
  readonly #schedule: Schedule;
  readonly #scheduler: Scheduler | undefined;
  readonly #watch: ((client: number) => Watch) | undefined;
  readonly #clock = new ManualClock();
  readonly #brokerClock = new BrokerClock(this.#clock);
  readonly #sequence = new Sequence();
  readonly #journal: LedgerEntry[] = [];
  readonly #broker: Broker;
  readonly #network: SimulatedNetwork;
  readonly #log: HandlerLog;
  readonly #clients: Supervisor[];
  readonly #startedAt = this.#clock.now();
  #started = 0;
  readonly #leased = new Set<string>();
  /** JSON of the bodies that no schema lets pass. */
  readonly #unfit = new Set<string>();
  readonly #pushed = new Map<string, Carried>();
  readonly #sleeps: { readonly at: number; readonly ms: number }[] = [];
  #open = 0;

  constructor(schedule: Schedule, scheduler: Scheduler | undefined, watch: ((client: number) => Watch) | undefined) {
    this.#schedule = schedule;
    this.#scheduler = scheduler;
    const { maxRetries, hasDeadLetterQueue, seed, up, down, faults, failureRate = 0, retryDelay } = schedule;
    const settings = { maxRetries, ...(retryDelay && { retryDelaySeconds: retryDelay.seconds }) };
    this.#watch = watch;
    this.#broker = createBroker({
      clock: this.#brokerClock,
      random: seededRandom(seed),
      queues: { jobs: hasDeadLetterQueue ? { ...settings, deadLetterQueue: 'dead' } : settings, other: {} },
      ...(retryDelay && { expiredLeases: retryDelay.expiredLeases }),
      onJournal: (entry) => this.#note(entry),
    });
    this.#network = new SimulatedNetwork({
      clock: this.#clock,
      sequence: this.#sequence,
      handle: handlerOf(this.#broker),
      up,
      down,
      faults,
      failureRate,
      seed: seed + 1,
      hold: scheduler && ((what) => scheduler.schedule(Promise.resolve(), what)),
    });
    this.#log = new HandlerLog(this.#clock, this.#sequence);
    this.#clients = schedule.clients.map(
      (plan, planned) =>
        new Supervisor(() => this.#start(plan, planned), this.#clock, schedule.crashes?.restartMs ?? Infinity),
    );
  }

  #start(plan: ClientPlan, planned: number): Client {
    const client = this.#started;
    this.#started += 1;
    const process = new ProcessClock(this.#clock);
    const connectionTo = (queue: string): CloudflareTransportOptions => {
      const { accountId, queueId, apiToken, baseUrl } = this.#broker.queue(queue);
      return { accountId, queueId, apiToken, baseUrl, fetch: this.#network.clientFetch(client, planned, process) };
    };
    const started = new Client({
      client,
      plan,
      schedule: this.#schedule,
      startedAt: this.#startedAt,
      truth: process,
      sequence: this.#sequence,
      network: this.#network,
      log: this.#log,
      fits: (body) => !this.#unfit.has(JSON.stringify(body)),
      connection: connectionTo('jobs'),
      otherConnection: connectionTo('other'),
      watch: this.#watch?.(client),
    });
    started.start();
    return started;
  }

  async run(): Promise<Run> {
    const schedule = this.#schedule;
    this.#push(schedule.messages);
    const ends = Promise.all(this.#clients.map((client) => client.run()));
    for (const event of schedule.events) this.#clock.setTimer(() => this.#happen(event), event.atMs);
    for (const { client, atMs } of schedule.crashes?.at ?? [])
      this.#clock.setTimer(() => this.#clients[client]?.tell((each) => each.crash()), atMs);
    this.#clock.setTimer(() => this.#closeAll(), schedule.horizonMs);
    const runs = await this.#passTimeUntil(ends);
    const endedAt = this.#clock.now();
    // What was sent and not waited for still arrives; whatever else comes now should not.
    await this.#clock.advance(Math.max(longestPushMs, 4 * schedule.visibilityTimeoutMs + 60_000));
    const inQueue = this.#broker.inspect('jobs').counts.total;
    const inDeadLetterQueue = schedule.hasDeadLetterQueue ? this.#broker.inspect('dead').counts.total : 0;
    return {
      schedule,
      startedAt: this.#startedAt,
      endedAt,
      journal: this.#journal,
      network: this.#network,
      log: this.#log,
      clients: runs.flat().toSorted((a, b) => a.client - b.client),
      inQueue,
      inDeadLetterQueue,
      sleeps: this.#sleeps,
      pushed: this.#pushed,
      inOtherQueue: this.#broker.inspect('other').messages,
    };
  }

  async #passTimeUntil<Value>(ends: Promise<Value>): Promise<Value> {
    const scheduler = this.#scheduler;
    if (scheduler === undefined) {
      return this.#clock.runUntil(ends, { withinMs: this.#schedule.horizonMs + patienceMs });
    }
    let isOver = false;
    const markOver = (): void => {
      isOver = true;
    };
    ends.then(markOver, markOver);
    let isTimeWaiting = false;
    for (let steps = 0; !isOver; steps += 1) {
      if (steps > mostSteps) throw new Error('The consumers do not end');
      if (!isTimeWaiting) {
        isTimeWaiting = true;
        void scheduler.schedule(Promise.resolve(), `${stepMs} ms pass`).then(() => {
          isTimeWaiting = false;
          return this.#clock.advance(stepMs);
        });
      }
      await scheduler.waitNext(1);
      await this.#clock.advance(0);
    }
    await scheduler.waitIdle();
    return ends;
  }

  #note(entry: JournalEntry): void {
    this.#journal.push({ ...entry, seq: this.#sequence.next() });
    if (entry.queue !== 'jobs') return;
    switch (entry.type) {
      case 'pushed':
        this.#open += 1;
        break;
      case 'delivered':
        this.#leased.add(entry.leaseId);
        break;
      case 'acked':
        this.#leased.delete(entry.leaseId);
        this.#open -= 1;
        break;
      case 'expired':
      case 'retried':
        this.#leased.delete(entry.leaseId);
        return;
      case 'deadLettered':
      case 'removed':
        this.#open -= 1;
        break;
    }
    if (this.#open === 0) this.#clock.setTimer(() => this.#closeIfEmpty(), 1_000);
  }

  #push(count: number): void {
    for (let left = count; left > 0; left -= 1) {
      const carried = carriedBy(this.#pushed.size + 1, this.#schedule.misfits);
      if (carried.isUnfit) this.#unfit.add(JSON.stringify(carried.body));
      this.#pushed.set(this.#broker.push('jobs', carried), carried);
    }
  }

  #closeIfEmpty(): void {
    if (this.#open === 0 && this.#schedule.endsWhenEmpty !== false) this.#closeAll();
  }

  #closeAll(): void {
    for (const client of this.#clients) client.stop((each) => each.close());
  }

  #happen(event: PlannedEvent): void {
    switch (event.type) {
      case 'close':
        return this.#clients[event.client]?.stop((client) => client.close(event.graceMs));
      case 'abort':
        return this.#clients[event.client]?.stop((client) => client.abort());
      case 'leave':
        return this.#clients[event.client]?.stop((client) => client.leave());
      case 'pause':
        return this.#clients[event.client]?.tell((client) => client.pause(event.forMs));
      case 'jump':
        return this.#clients[event.client]?.tell((client) => client.jump(event.ms));
      case 'broker-jump':
        this.#brokerClock.jump(-event.ms);
        this.#clock.setTimer(() => this.#brokerClock.jump(event.ms), event.forMs);
        return undefined;
      case 'block':
        return this.#log.keepLoop(event.ms);
      case 'suspend':
        for (const client of this.#clients) client.tell((each) => each.sleep());
        this.#sleeps.push({ at: this.#clock.now(), ms: event.ms });
        return this.#clock.suspend(event.ms);
      case 'redeliver':
        return this.#redeliver(event.nth);
      case 'thief':
        return this.#steal(event.count, event.leaseMs);
      case 'refuse-pulls':
        return this.#refusePulls(event.how, event.forMs);
      case 'push':
        return this.#push(event.count);
    }
  }

  /** Nobody of ours: a retry by somebody who knows the lease makes the message visible while its holder believes in it. */
  #redeliver(nth: number): void {
    const leased = [...this.#leased];
    const leaseId = leased[nth % Math.max(1, leased.length)];
    if (leaseId === undefined) return;
    void this.#broker.transport('jobs').ack({ acks: [], retries: [{ leaseId, delaySeconds: 0 }] });
  }

  #steal(count: number, leaseMs: number): void {
    const pull = this.#broker.transport('jobs').pull({ batchSize: count, visibilityTimeoutMs: leaseMs });
    // Refused like anybody's, while pulls are.
    pull.catch(() => undefined);
  }

  #refusePulls(how: 'paused' | 'not-enabled', forMs: number): void {
    const isPaused = how === 'paused';
    this.#broker.queue('jobs', isPaused ? { deliveryPaused: true } : { httpPull: false });
    const undo = isPaused ? { deliveryPaused: false } : { httpPull: true };
    this.#clock.setTimer(() => void this.#broker.queue('jobs', undo), forMs);
  }
}

function carriedBy(number: number, { unfitOneIn, brokenOneIn }: Partial<Misfits> = {}): Carried {
  if (isOneIn(brokenOneIn, number)) return { contentType: 'json', body: `{ m${number}`, raw: true, isUnfit: false };
  const common = { raw: false, isUnfit: isOneIn(unfitOneIn, number) };
  if (number % 2 === 0) return { contentType: 'json', body: { m: number }, ...common };
  return { contentType: 'text', body: `m${number}`, ...common };
}

function isOneIn(oneIn: number | undefined, number: number): boolean {
  return oneIn !== undefined && number % oneIn === 0;
}
