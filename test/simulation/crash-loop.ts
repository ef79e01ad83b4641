import { type Broker, createBroker, ManualClock } from '../../src/broker.ts';
import type { Clock } from '../../src/contract/clock.ts';
import { delay } from '../../src/contract/delay.ts';
import type { QueueTransport } from '../../src/contract/transport.ts';
import { openQueue, type ProcessOptions } from '../../src/index.ts';
import { seededRandom } from './seeded-random.ts';

/** Processes that a supervisor restarts at once, and messages that end the process that works on them. */
export interface CrashPlan {
  readonly seed: number;
  readonly healthy: number;
  /** How many messages end the process. */
  readonly poisons: number;
  /** How long after its handler was started such a message ends the process, in milliseconds; 0 within the very call. */
  readonly diesAfterMs: number;
  readonly processes: number;
  readonly concurrency: number;
  /** How long a handler takes on average, in milliseconds: any time from half to one and a half of it. */
  readonly handlerMs: number;
  /** How long a request takes, there and back. @defaultValue 20 */
  readonly roundTripMs?: number;
  /** @defaultValue 3 */
  readonly maxRetries?: number;
  /** The share of handlers that fail. @defaultValue 0 */
  readonly failing?: number;
  /** Healthy messages pushed beside those that are there at first, each second. @defaultValue 0 */
  readonly perSecond?: number;
  /** For how long, in seconds. @defaultValue 0 */
  readonly seconds?: number;
  /** How many processes are killed beside, all at once, at what time in milliseconds. @defaultValue never */
  readonly killedAtMs?: number;
  /** @defaultValue none */
  readonly options?: ProcessOptions<Body>;
}

/** What became of it. */
export interface CrashTally {
  crashes: number;
  /** Healthy messages of which a handler ended well. */
  handled: number;
  /** Healthy messages that went to the dead letter queue. */
  healthyDead: number;
  poisonDead: number;
  deliveries: number;
  pulls: number;
  emptyPulls: number;
  settleCalls: number;
  /** From the beginning until the last healthy message was acknowledged, in milliseconds. */
  tookMs: number;
  /** Until nine in ten of the healthy messages were handled. */
  mostlyAfterMs: number;
}

interface Body {
  readonly n: number;
  readonly kills: boolean;
}

const restartMs = 200;
const mostMs = 3_600_000;

/** Runs a plan until the queue is empty. */
export function runCrashLoop(plan: CrashPlan): Promise<CrashTally> {
  return new CrashLoop(plan).run();
}

class CrashLoop {
  readonly #plan: CrashPlan;
  readonly #clock = new ManualClock();
  readonly #startedAt = this.#clock.now();
  readonly #broker: Broker;
  readonly #random: () => number;
  readonly #seen: CrashTally = {
    crashes: 0,
    handled: 0,
    healthyDead: 0,
    poisonDead: 0,
    deliveries: 0,
    pulls: 0,
    emptyPulls: 0,
    settleCalls: 0,
    tookMs: 0,
    mostlyAfterMs: 0,
  };
  readonly #poisonIds = new Set<string>();
  readonly #handled = new Set<number>();
  readonly #alive = new Set<Incarnation>();
  #left = 0;
  #pushed = 0;
  #isPushing = false;
  #onEmpty: () => void = () => undefined;

  constructor(plan: CrashPlan) {
    this.#plan = plan;
    this.#random = seededRandom(plan.seed);
    this.#broker = createBroker({
      clock: this.#clock,
      random: seededRandom(plan.seed + 1),
      // No order is promised.
      order: plan.seed % 2 === 0 ? 'arrival' : 'shuffled',
      queues: { jobs: { maxRetries: plan.maxRetries ?? 3, deadLetterQueue: 'dead' } },
      onJournal: (entry) => {
        if (entry.queue !== 'jobs') return;
        if (entry.type === 'delivered') this.#seen.deliveries += 1;
        if (entry.type === 'deadLettered')
          this.#seen[this.#poisonIds.has(entry.messageId) ? 'poisonDead' : 'healthyDead'] += 1;
        if (entry.type === 'acked') this.#seen.tookMs = this.#clock.now() - this.#startedAt;
        if (entry.type !== 'acked' && entry.type !== 'deadLettered') return;
        this.#left -= 1;
        if (this.#left === 0 && !this.#isPushing) this.#onEmpty();
      },
    });
  }

  async run(): Promise<CrashTally> {
    const { healthy, poisons, processes, killedAtMs, perSecond = 0, seconds = 0 } = this.#plan;
    const kinds = [...Array.from({ length: healthy }, () => false), ...Array.from({ length: poisons }, () => true)];
    for (const kills of shuffled(kinds, this.#random)) this.#push(kills);
    const empty = new Promise<void>((resolve) => (this.#onEmpty = resolve));
    this.#isPushing = perSecond > 0;
    if (this.#isPushing) void this.#keepPushing(perSecond, seconds);
    for (let number = 0; number < processes; number += 1) this.#start();
    if (killedAtMs !== undefined)
      this.#clock.setTimer(() => {
        for (const each of this.#alive) this.#crash(each);
      }, killedAtMs);
    await this.#clock.runUntil(empty, { withinMs: mostMs });
    for (const each of this.#alive) each.isDead = true;
    this.#seen.handled = this.#handled.size;
    return this.#seen;
  }

  #push(kills: boolean): void {
    const id = this.#broker.push('jobs', { body: { n: this.#pushed, kills } });
    if (kills) this.#poisonIds.add(id);
    this.#pushed += 1;
    this.#left += 1;
  }

  async #keepPushing(perSecond: number, seconds: number): Promise<void> {
    for (let left = perSecond * seconds; left > 0; left -= 1) {
      await delay(undefined, this.#clock, 1_000 / perSecond);
      this.#push(false);
    }
    this.#isPushing = false;
    if (this.#left === 0) this.#onEmpty();
  }

  #crash(incarnation: Incarnation): void {
    if (incarnation.isDead) return;
    incarnation.isDead = true;
    this.#alive.delete(incarnation);
    this.#seen.crashes += 1;
    this.#clock.setTimer(() => this.#start(), restartMs);
  }

  #start(): void {
    const { concurrency, handlerMs, diesAfterMs, failing = 0, options } = this.#plan;
    const incarnation = new Incarnation(this.#clock);
    this.#alive.add(incarnation);
    const random = seededRandom(Math.floor(this.#random() * 2 ** 31));
    const queue = openQueue<Body>({
      transport: this.#transport(incarnation),
      clock: incarnation,
      random,
    });
    const never = new Promise<never>(() => undefined);
    const handle = async ({ body }: { readonly body: Body }): Promise<void> => {
      if (incarnation.isDead) return never;
      if (body.kills) {
        if (diesAfterMs > 0) await delay(undefined, this.#clock, diesAfterMs);
        this.#crash(incarnation);
        return never;
      }
      await delay(undefined, this.#clock, Math.round(handlerMs * (0.5 + random())));
      if (incarnation.isDead) return never;
      if (random() < failing) throw new Error('failed');
      this.#handled.add(body.n);
      const { healthy, perSecond = 0, seconds = 0 } = this.#plan;
      if (this.#handled.size === Math.ceil(0.9 * (healthy + perSecond * seconds)))
        this.#seen.mostlyAfterMs = this.#clock.now() - this.#startedAt;
      return undefined;
    };
    const { maxRetries = 3 } = this.#plan;
    void queue.process(handle, { concurrency, maxRetries, ...options });
  }

  /** The broker behind a network, half of the round trip away; answers reach no dead process, requests do arrive. */
  #transport(incarnation: Incarnation): QueueTransport {
    const broker = this.#broker.transport('jobs');
    const halfMs = (this.#plan.roundTripMs ?? 20) / 2;
    const travel = async <Result>(send: () => Promise<Result>): Promise<Result> => {
      if (incarnation.isDead) return new Promise(() => undefined);
      await delay(undefined, this.#clock, halfMs);
      const result = await send();
      await delay(undefined, this.#clock, halfMs);
      return incarnation.isDead ? new Promise(() => undefined) : result;
    };
    return {
      ...broker,
      pull: (request) =>
        travel(async () => {
          const result = await broker.pull(request);
          this.#seen.pulls += 1;
          if (result.messages.length === 0) this.#seen.emptyPulls += 1;
          return result;
        }),
      ack: (request) =>
        travel(() => {
          this.#seen.settleCalls += 1;
          return broker.ack(request);
        }),
    };
  }
}

/** The clock of a process: none of its timers fires when it is dead. */
class Incarnation implements Clock {
  readonly #clock: Clock;
  isDead = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  setTimer(callback: () => void, delayMs: number): ReturnType<Clock['setTimer']> {
    return this.#clock.setTimer(() => {
      if (!this.isDead) callback();
    }, delayMs);
  }
}

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  const order = items.map((item) => ({ item, at: random() }));
  return order.toSorted((a, b) => a.at - b.at).map(({ item }) => item);
}
