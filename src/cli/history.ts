import type { Clock, Timer } from '../contract/clock.ts';
import type { BrokerCounts } from './counts.ts';

/** The last minutes of a queue, a number for each sample, the newest last. */
export interface QueueHistory {
  readonly backlog: readonly number[];
  readonly inFlight: readonly number[];
  /** In a second, on average over the sample. */
  readonly pushRate: readonly number[];
  readonly ackRate: readonly number[];
}

const everyMs = 1_000;
const samples = 300;

interface Sample {
  readonly at: number;
  readonly queues: ReadonlyMap<string, BrokerCounts['queues'][number]>;
}

/** Looks at the queues once a second, and remembers five minutes. */
export class History {
  readonly #clock: Clock;
  readonly #samples: Sample[] = [];
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes the first sample, and goes on until `stop()`. @param look - `undefined` when there is nothing to see */
  async start(look: () => Promise<BrokerCounts | undefined>): Promise<void> {
    this.#timer = this.#clock.setTimer(() => void this.start(look), everyMs);
    const counts = await look();
    if (counts === undefined) return;
    const queues = new Map(counts.queues.map((queue) => [queue.id, queue]));
    this.#samples.push({ at: this.#clock.monotonic(), queues });
    // One more than is shown: a rate is between two.
    if (this.#samples.length > samples + 1) this.#samples.shift();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** By the id of the queue: those that there are, from when on they were. */
  read(): Readonly<Record<string, QueueHistory>> {
    const newest = this.#samples.at(-1);
    return Object.fromEntries([...(newest?.queues.keys() ?? [])].map((id) => [id, this.#of(id)]));
  }

  #of(id: string): QueueHistory {
    const seen = this.#samples.flatMap(({ at, queues }) => {
      const queue = queues.get(id);
      return queue === undefined ? [] : [{ at, ...queue }];
    });
    const rateOf = (what: 'pushed' | 'acked'): readonly number[] =>
      seen.slice(1).map(({ at, tally }, index) => {
        const before = seen[index];
        return before === undefined ? 0 : ((tally[what] - before.tally[what]) * 1_000) / Math.max(1, at - before.at);
      });
    return {
      backlog: seen.map(({ backlogCount }) => backlogCount),
      inFlight: seen.map(({ inFlight }) => inFlight),
      pushRate: rateOf('pushed'),
      ackRate: rateOf('acked'),
    };
  }
}
