import type { Scheduler } from 'fast-check';
import { type Broker, createBroker, type JournalEntry, ManualClock } from '../../src/broker.ts';
import { Client, type ClientRun } from './client.ts';
import { HandlerLog } from './handler-log.ts';
import { SimulatedNetwork } from './network.ts';
import type { ClientPlan, PlannedEvent, Schedule } from './schedule.ts';
import { seededRandom } from './seeded-random.ts';
import { Sequence } from './sequence.ts';

/** An entry of the broker's journal, with its place among everything else that happened. */
export type LedgerEntry = JournalEntry & { readonly seq: number };

/** Everything that happened in one run. */
export interface Run {
  readonly schedule: Schedule;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly journal: readonly LedgerEntry[];
  readonly network: SimulatedNetwork;
  readonly log: HandlerLog;
  readonly clients: readonly ClientRun[];
  /** Messages in the queue at the end, as the broker counts them. */
  readonly inQueue: number;
  readonly inDeadLetterQueue: number;
}

/** How long a run may take at most beyond its horizon: closing waits for leases, and settle calls for their timeouts. */
const patienceMs = 3_600_000;

/** How much time passes at once where a scheduler decides when. */
const stepMs = 25;
const mostSteps = 50_000;

/**
 * Runs a schedule from beginning to end.
 *
 * @param scheduler - decides in what order requests and answers arrive and time passes, instead of the latencies
 */
export async function runWorld(schedule: Schedule, scheduler?: Scheduler): Promise<Run> {
  const world = new World(schedule, scheduler);
  return world.run();
}

class World {
  readonly #schedule: Schedule;
  readonly #scheduler: Scheduler | undefined;
  readonly #clock = new ManualClock();
  readonly #sequence = new Sequence();
  readonly #journal: LedgerEntry[] = [];
  readonly #broker: Broker;
  readonly #network: SimulatedNetwork;
  readonly #log: HandlerLog;
  readonly #clients: Client[];
  readonly #leased = new Set<string>();
  #open = 0;
  #pushed = 0;

  constructor(schedule: Schedule, scheduler: Scheduler | undefined) {
    this.#schedule = schedule;
    this.#scheduler = scheduler;
    const { maxRetries, hasDeadLetterQueue, seed, up, down, faults, failureRate = 0 } = schedule;
    this.#broker = createBroker({
      clock: this.#clock,
      random: seededRandom(seed),
      queues: { jobs: hasDeadLetterQueue ? { maxRetries, deadLetterQueue: 'dead' } : { maxRetries } },
      onJournal: (entry) => this.#note(entry),
    });
    this.#network = new SimulatedNetwork({
      clock: this.#clock,
      sequence: this.#sequence,
      fetch: this.#broker.fetch,
      up,
      down,
      faults,
      failureRate,
      seed: seed + 1,
      hold: scheduler && ((what) => scheduler.schedule(Promise.resolve(), what)),
    });
    this.#log = new HandlerLog(this.#clock, this.#sequence);
    this.#clients = schedule.clients.map((plan, client) => this.#client(plan, client));
  }

  #client(plan: ClientPlan, client: number): Client {
    const { accountId, queueId, apiToken, baseUrl } = this.#broker.queue('jobs');
    return new Client({
      client,
      plan,
      schedule: this.#schedule,
      truth: this.#clock,
      sequence: this.#sequence,
      network: this.#network,
      log: this.#log,
      connection: { accountId, queueId, apiToken, baseUrl, fetch: this.#network.clientFetch(client) },
    });
  }

  async run(): Promise<Run> {
    const schedule = this.#schedule;
    const startedAt = this.#clock.now();
    this.#push(schedule.messages);
    for (const client of this.#clients) client.start();
    for (const event of schedule.events) this.#clock.setTimer(() => this.#happen(event), event.atMs);
    this.#clock.setTimer(() => this.#closeAll(), schedule.horizonMs);
    const ends = Promise.all(this.#clients.map((client) => client.end()));
    const clients = await this.#passTimeUntil(ends);
    const endedAt = this.#clock.now();
    // What was sent and not waited for still arrives; whatever else comes now should not.
    await this.#clock.advance(4 * schedule.visibilityTimeoutMs + 60_000);
    const inQueue = this.#broker.inspect('jobs').counts.total;
    const inDeadLetterQueue = schedule.hasDeadLetterQueue ? this.#broker.inspect('dead').counts.total : 0;
    return {
      schedule,
      startedAt,
      endedAt,
      journal: this.#journal,
      network: this.#network,
      log: this.#log,
      clients,
      inQueue,
      inDeadLetterQueue,
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
      this.#pushed += 1;
      this.#broker.push('jobs', { body: `m${this.#pushed}` });
    }
  }

  #closeIfEmpty(): void {
    if (this.#open === 0 && this.#schedule.endsWhenEmpty !== false) this.#closeAll();
  }

  #closeAll(): void {
    for (const client of this.#clients) client.close(undefined);
  }

  #happen(event: PlannedEvent): void {
    switch (event.type) {
      case 'close':
        return this.#clients[event.client]?.close(event.graceMs);
      case 'abort':
        return this.#clients[event.client]?.abort();
      case 'pause':
        return this.#clients[event.client]?.pause(event.forMs);
      case 'jump':
        return this.#clients[event.client]?.jump(event.ms);
      case 'suspend':
        for (const client of this.#clients) client.sleep();
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
