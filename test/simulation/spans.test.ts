import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { type ScheduleRange, schedules } from './schedules.ts';
import { SpanWatch } from './span-watch.ts';
import { runWorld } from './world.ts';

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});

afterAll(() => context.disable());

const dangers: Readonly<Record<string, ScheduleRange>> = {
  'under faults': {},
  'where messages come again': {
    events: ['redeliver', 'redeliver', 'thief', 'push', 'suspend', 'jump'],
    deviations: ['retry-first', 'throw', 'ack-first', 'forget', 'both'],
    faults: ['answer-dropped', 'answer-dropped', 'obscured', 'doubled', 'failed'],
  },
  'where consumers close and readers leave': {
    events: ['close', 'close', 'abort', 'leave', 'leave', 'push', 'pause', 'refuse-pulls'],
    deviations: ['close', 'throw', 'forget'],
  },
  'where work outlasts its leases': {
    surfaces: ['process', 'processBatches', 'batches', 'settleMap', 'toObservable', 'manual'],
    deviations: ['forget', 'forget', 'throw', 'retry-last', 'dead-letter-last'],
    blockOneIn: 4,
  },
  'where all work fails': { outageOneIn: 1, surfaces: ['process', 'process', 'processBatches', 'settleMap'] },
  'where processes vanish': { crashOneIn: 1 },
};

describe('the spans of what was handed out', () => {
  it.each(Object.entries(dangers))(
    'are one for each work, with the right parent, and are those in which it runs, %s',
    async (_, range) => {
      const property = fc.asyncProperty(schedules(range), async (schedule) => {
        const watches: SpanWatch[] = [];
        const run = await runWorld(schedule, undefined, (client) => {
          const watch = new SpanWatch();
          watches[client] = watch;
          return watch;
        });
        // What a vanished process has begun nobody ends.
        const ended = run.clients.filter(({ crashed }) => crashed === undefined);
        const wrong = ended.flatMap((each) => watches[each.client]?.judge(each, run.log.starts) ?? []);
        if (wrong.length > 0) throw new Error(wrong.join('\n'));
      });
      await fc.assert(property, { numRuns: 60 });
    },
    240_000,
  );
});
