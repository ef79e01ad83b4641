import { createBroker, ManualClock } from '../../src/broker.ts';
import type { ConsumerEvent } from '../../src/consumer/events.ts';
import type { ProcessOptions } from '../../src/consumer/process-options.ts';
import { delay } from '../../src/contract/delay.ts';
import type { QueueTransport } from '../../src/contract/transport.ts';
import { openQueue } from '../../src/index.ts';
import { seededRandom } from './seeded-random.ts';

/** How a handler fails while what it needs is down. */
export type Failing = 'at once' | 'after its work' | 'after 5 s';

/** Handlers that need something which is down for a while, or that can't do some messages at all. */
export interface Outage {
  readonly messages: number;
  /** How many more are pushed each second, one after the other, until `untilMs`. @defaultValue none */
  readonly perSecond?: number;
  /** @defaultValue until the last outage is over */
  readonly untilMs?: number;
  /** From when to when all work fails, in milliseconds. */
  readonly down: ReadonlyArray<readonly [fromMs: number, toMs: number]>;
  /** @defaultValue 'after its work' */
  readonly failing?: Failing;
  /** Whether a message fails for good. @defaultValue none does */
  readonly isBad?: (number: number) => boolean;
  /** @defaultValue 2, each with a handle of its own */
  readonly consumers?: number;
  readonly options?: ProcessOptions;
  readonly seed?: number;
  /** How long a request takes, there and back, in milliseconds. @defaultValue 20 */
  readonly roundTripMs?: number;
  /** How long it is watched beyond the end of everything that is planned, in milliseconds. @defaultValue 180 000 */
  readonly watchMs?: number;
}

/** What became of it. */
export interface Weathered {
  readonly handled: number;
  readonly deadLettered: number;
  readonly failures: number;
  /** When each good message was handled, in milliseconds since it was pushed; those that were not are missing. */
  readonly tookMs: readonly number[];
  /** When the last good message was handled, in milliseconds since the beginning. */
  readonly lastAt: number;
  readonly openings: number;
  readonly attempts: readonly number[];
  readonly events: readonly ConsumerEvent[];
}

const workMs = 50;

/** Runs consumers through outages, on a clock and a broker of their own. */
export async function weather(outage: Outage): Promise<Weathered> {
  const { messages, perSecond = 0, down, failing = 'after its work', isBad = () => false } = outage;
  const { consumers = 2, options = {}, seed = 1, roundTripMs = 20, watchMs = 180_000 } = outage;
  const endsAt = Math.max(outage.untilMs ?? 0, ...down.map(([, toMs]) => toMs));
  const clock = new ManualClock();
  const startedAt = clock.now();
  const pushed: number[] = [];
  const tookMs = new Map<number, number>();
  const deliveries = new Map<string, number>();
  const events: ConsumerEvent[] = [];
  let failures = 0;
  let deadLettered = 0;
  let lastAt = 0;
  const broker = createBroker({
    clock,
    random: seededRandom(seed),
    queues: { jobs: { maxRetries: 3, deadLetterQueue: 'dead' } },
    onJournal: (entry) => {
      if (entry.type === 'deadLettered') deadLettered += 1;
      if (entry.type === 'delivered') deliveries.set(entry.messageId, (deliveries.get(entry.messageId) ?? 0) + 1);
    },
  });
  const push = (): void => {
    broker.push('jobs', { body: pushed.length });
    pushed.push(clock.now());
  };
  const isDown = (): boolean => {
    const passedMs = clock.now() - startedAt;
    return down.some(([fromMs, toMs]) => passedMs >= fromMs && passedMs < toMs);
  };
  const handle = async ({ body }: { readonly body: number }): Promise<void> => {
    const fail = (): never => {
      failures += 1;
      throw new Error('down');
    };
    if (isDown() && failing === 'at once') fail();
    if (isDown() && failing === 'after 5 s') {
      await delay(undefined, clock, 5_000);
      fail();
    }
    await delay(undefined, clock, workMs);
    if (isDown() || isBad(body)) fail();
    tookMs.set(body, clock.now() - (pushed[body] ?? 0));
    lastAt = clock.now() - startedAt;
  };
  for (let left = messages; left > 0; left -= 1) push();
  const abort = new AbortController();
  const ends = Array.from({ length: consumers }, (_, number) => {
    const inner = broker.transport('jobs');
    const travel = (): Promise<void> => delay(undefined, clock, roundTripMs / 2);
    const distant =
      <Request, Result>(call: (request: Request) => Promise<Result>) =>
      async (request: Request): Promise<Result> => {
        await travel();
        const result = await call(request);
        await travel();
        return result;
      };
    const calls = { pull: distant(inner.pull.bind(inner)), ack: distant(inner.ack.bind(inner)) };
    const transport = calls as Partial<QueueTransport> as QueueTransport;
    const queue = openQueue<number>({ transport, clock, random: seededRandom(seed + 10 + number) });
    const onEvent = (event: ConsumerEvent): void => void (event.type !== 'handlerFailed' && events.push(event));
    return queue.process(handle, { ...options, signal: abort.signal, onEvent });
  });
  const stepMs = perSecond === 0 ? 1_000 : Math.max(1, Math.round(1_000 / perSecond));
  for (let passedMs = 0; passedMs < endsAt + watchMs; passedMs += stepMs) {
    if (perSecond > 0 && passedMs < endsAt) push();
    if (passedMs >= endsAt && broker.isEmpty('jobs')) break;
    await clock.advance(stepMs);
  }
  abort.abort();
  await clock.runUntil(Promise.all(ends));
  return {
    handled: tookMs.size,
    deadLettered,
    failures,
    tookMs: [...tookMs.values()],
    lastAt,
    openings: events.filter(({ type }) => type === 'breakerOpened').length,
    attempts: [...deliveries.values()],
    events,
  };
}
