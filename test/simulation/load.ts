import { type Broker, createBroker, ManualClock } from '../../src/broker.ts';
import { delay } from '../../src/contract/delay.ts';
import type { PullRequest, PullResult, QueueTransport } from '../../src/contract/transport.ts';
import { openQueue, type Queue } from '../../src/index.ts';
import { seededRandom } from './seeded-random.ts';

/** Messages that keep coming, and who works on them. */
export interface Load {
  readonly messagesPerSecond: number;
  /** How long a handler takes on average, in milliseconds: any time from half to one and a half of it. */
  readonly handlerMs: number;
  /** How long a request takes, there and back, in milliseconds. */
  readonly roundTripMs: number;
  readonly processes: number;
  /** How many handlers each process runs at once. */
  readonly concurrency: number;
  /** How many consumers each has on its handle. @defaultValue 1 */
  readonly consumers?: number;
  /** The messages are sent through the handle of the first, not pushed by somebody else. @defaultValue false */
  readonly isOwn?: boolean;
  /** What the queue delays every message by. @defaultValue 0 */
  readonly delaySeconds?: number;
  /** How long it is watched, in seconds, after a warm-up. */
  readonly seconds: number;
}

/** What was seen of a load. */
export interface Seen {
  pushed: number;
  handled: number;
  /** Handlers started for a message that one had been started for before. */
  repeats: number;
  pulls: number;
  emptyPulls: number;
  settleCalls: number;
  /** The most messages in the queue, leased ones included. */
  mostInQueue: number;
  /** The most messages that one process held: those received whose handler had not ended. */
  mostHeld: number;
  /** From the time a message could be pulled to the start of its handler, in milliseconds. */
  readonly waits: number[];
}

interface Body {
  readonly n: number;
  readonly at: number;
}

const warmUpSeconds = 5;

/** Messages come at random, and all of this many milliseconds at once. */
const tickMs = 10;

/** Puts a load on a queue of a broker, on a clock of its own, and watches it. */
export function watchLoad(load: Load): Promise<Seen> {
  return new LoadedQueue(load).run();
}

class LoadedQueue {
  readonly #load: Load;
  readonly #clock = new ManualClock();
  readonly #broker: Broker;
  readonly #random = seededRandom(1);
  readonly #started = new Set<number>();
  #seen = nothingSeen();
  #pushed = 0;
  #inQueue = 0;
  #producer: Queue<Body> | undefined;

  constructor(load: Load) {
    this.#load = load;
    this.#broker = createBroker({
      clock: this.#clock,
      random: seededRandom(2),
      queues: { jobs: { deliveryDelaySeconds: load.delaySeconds ?? 0 } },
      onJournal: ({ type }) => {
        if (type === 'pushed') this.#inQueue += 1;
        if (type === 'acked') this.#inQueue -= 1;
      },
    });
  }

  async run(): Promise<Seen> {
    const abort = new AbortController();
    const ends = Array.from({ length: this.#load.processes }, (_, number) => this.#consume(number, abort.signal));
    await this.#push(warmUpSeconds);
    this.#seen = nothingSeen();
    await this.#push(this.#load.seconds);
    const seen = this.#seen;
    this.#seen = nothingSeen();
    abort.abort();
    await this.#clock.runUntil(Promise.all(ends));
    return seen;
  }

  async #push(seconds: number): Promise<void> {
    const meanGapMs = 1_000 / this.#load.messagesPerSecond;
    const gapMs = (): number => -Math.log(1 - this.#random()) * meanGapMs;
    let nextMs = gapMs();
    for (let passedMs = tickMs; passedMs <= seconds * 1_000; passedMs += tickMs) {
      for (; nextMs <= passedMs; nextMs += gapMs()) this.#pushOne();
      this.#seen.mostInQueue = Math.max(this.#seen.mostInQueue, this.#inQueue);
      await this.#clock.advance(tickMs);
    }
  }

  #pushOne(): void {
    const body: Body = { n: this.#pushed, at: this.#clock.now() };
    if (this.#load.isOwn === true) void this.#producer?.send(body);
    else this.#broker.push('jobs', { body });
    this.#pushed += 1;
    this.#seen.pushed += 1;
  }

  #consume(number: number, signal: AbortSignal): Promise<unknown> {
    const { handlerMs, concurrency, consumers = 1, delaySeconds = 0 } = this.#load;
    const random = seededRandom(100 + number);
    let held = 0;
    const transport = this.#distantTransport((received) => {
      held += received;
      this.#seen.mostHeld = Math.max(this.#seen.mostHeld, held);
    });
    const queue = openQueue<Body>({ transport, clock: this.#clock, random });
    this.#producer ??= queue;
    const handle = async ({ body }: { readonly body: Body }): Promise<void> => {
      if (this.#started.has(body.n)) this.#seen.repeats += 1;
      this.#started.add(body.n);
      this.#seen.waits.push(this.#clock.now() - body.at - 1_000 * delaySeconds);
      await delay(undefined, this.#clock, Math.round(handlerMs * (0.5 + random())));
      this.#seen.handled += 1;
      held -= 1;
    };
    const options = { concurrency, maxInFlight: Math.max(200, concurrency), signal };
    return Promise.all(Array.from({ length: consumers }, () => queue.process(handle, options)));
  }

  /** The broker behind a network, half of the round trip away. */
  #distantTransport(onReceived: (messages: number) => void): QueueTransport {
    const broker = this.#broker.transport('jobs');
    const travel = (): Promise<void> => delay(undefined, this.#clock, this.#load.roundTripMs / 2);
    const pull = async (request: PullRequest): Promise<PullResult> => {
      await travel();
      const result = await broker.pull(request);
      await travel();
      this.#seen.pulls += 1;
      if (result.messages.length === 0) this.#seen.emptyPulls += 1;
      onReceived(result.messages.length);
      return result;
    };
    const ack: QueueTransport['ack'] = async (request) => {
      await travel();
      const result = await broker.ack(request);
      await travel();
      this.#seen.settleCalls += 1;
      return result;
    };
    const push: QueueTransport['push'] = async (message) => {
      await travel();
      return broker.push(message);
    };
    const bulkPush: QueueTransport['bulkPush'] = async (request) => {
      await travel();
      return broker.bulkPush(request);
    };
    return { pull, ack, push, bulkPush } as Partial<QueueTransport> as QueueTransport;
  }
}

function nothingSeen(): Seen {
  return {
    pushed: 0,
    handled: 0,
    repeats: 0,
    pulls: 0,
    emptyPulls: 0,
    settleCalls: 0,
    mostInQueue: 0,
    mostHeld: 0,
    waits: [],
  };
}
