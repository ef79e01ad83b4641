// An outage of what the handlers need: all of them fail until it is over.
import { setTimeout as sleep } from 'node:timers/promises';
import { openQueue } from '../../src/index.ts';
import { fastClock } from './fast-clock.ts';
import type { Measure, Scale, Scenario } from './row.ts';
import { Service } from './service.ts';

const consumers = 2;
const concurrency = 10;
const handlerMs = 10;

/** An outage, by clocks that are so many times as fast as the machine's. */
interface Outage {
  readonly seconds: number;
  readonly speed: number;
}

interface Outcome {
  readonly deadLettered: number;
  /** From the end of the outage until all were handled, in seconds by the fast clock. */
  readonly recoveredAfter: number;
  /** As a multiple of the time of the handlers alone. */
  readonly time: number;
  readonly delivered: number;
  readonly requests: number;
}

async function outage({ seconds, speed }: Outage, messages: number): Promise<Outcome> {
  using service = new Service({ speed });
  const clock = fastClock(speed);
  const connection = await service.open('jobs', messages);
  const from = performance.now();
  const isOverAt = from + (seconds * 1_000) / speed;
  const handled = new Set<string>();
  const done = new AbortController();
  let lastAt = 0;
  let workedMs = 0;
  const handle = async ({ id }: { id: string }): Promise<void> => {
    const startedAt = performance.now();
    await sleep(handlerMs / speed);
    workedMs += performance.now() - startedAt;
    if (performance.now() < isOverAt) throw new Error('It is down');
    handled.add(id);
    lastAt = performance.now();
  };
  const options = { concurrency, signal: done.signal, onEvent: () => undefined };
  const reading = Array.from({ length: consumers }, () => openQueue({ ...connection, clock }).process(handle, options));
  // As long as the longest delay of a retry beyond the outage.
  const giveUpAt = isOverAt + 400_000 / speed + 30_000;
  let tally = await service.tally('jobs');
  while (tally.acked + tally.deadLettered.length < messages && performance.now() < giveUpAt) {
    await sleep(100);
    tally = await service.tally('jobs');
  }
  done.abort();
  await Promise.all(reading);
  return {
    deadLettered: tally.deadLettered.length,
    recoveredAfter:
      tally.acked + tally.deadLettered.length < messages ? Infinity : ((lastAt - isOverAt) * speed) / 1_000,
    time: (lastAt - from) / (workedMs / consumers / concurrency),
    delivered: tally.delivered / messages,
    requests: (tally.requests * 1_000) / messages,
  };
}

const outages: Readonly<Record<Scale, readonly Outage[]>> = {
  quick: [{ seconds: 30, speed: 10 }],
  usual: [
    { seconds: 30, speed: 10 },
    { seconds: 600, speed: 30 },
  ],
  full: [
    { seconds: 30, speed: 1 },
    { seconds: 600, speed: 1 },
  ],
};

async function run(scale: Scale): Promise<readonly Measure[]> {
  const messages = scale === 'quick' ? 500 : 2_000;
  const measures: Measure[] = [];
  for (const plan of outages[scale]) {
    const { deadLettered, recoveredAfter } = await outage(plan, messages);
    const which = `of ${plan.seconds} s${plan.speed === 1 ? '' : `, by clocks ${plan.speed} times as fast`}`;
    measures.push([`${which}: dead-lettered of ${messages}`, deadLettered, 0]);
    measures.push([`${which}: until all are handled, in s`, Math.max(0, recoveredAfter), 60]);
  }
  const { time, delivered, requests } = await outage({ seconds: 0, speed: 1 }, messages);
  return [
    ...measures,
    ['none: deliveries a message', delivered, 1],
    ['none: time, as a multiple of that of the handlers', time, 1.3],
    ['none: requests for 1 000 messages', requests, 200],
  ];
}

export const outageOfHandlers: Scenario = { name: 'An outage of what the handlers need, 2 consumers', run };
