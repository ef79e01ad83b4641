import { describe, it } from 'vitest';
import { checkSchedules } from './check-schedules.ts';
import { gentle } from './gentle-schedules.ts';
import { judgeAll } from './invariants.ts';
import { poisoned } from './poisoned-schedules.ts';
import type { Schedule } from './schedule.ts';
import { type ScheduleRange, schedules } from './schedules.ts';

const numRuns = 80;
const timeoutMs = 120_000;

interface Danger {
  readonly range: ScheduleRange;
  /** What is made of what is drawn. @defaultValue it is left as it is */
  readonly made?: (schedule: Schedule) => Schedule;
  /** @defaultValue 1 */
  readonly share?: number;
}

// Where each is in danger, all are judged; soak.test.ts does so on schedules of any kind.
const dangers: Readonly<Record<string, Danger>> = {
  'invariant 1: every message pushed is acked after its handler finished, in a queue, or removed by the broker': {
    range: {},
  },
  'invariant 2: no automatic ack is sent before the handler finished': {
    range: { surfaces: ['for await', 'generator', 'process', 'batches', 'processBatches', 'settleMap'] },
  },
  'invariant 3: no message is handed out after its deadline less the margin, except on its last attempt': {
    range: {
      events: ['suspend', 'jump', 'pause', 'redeliver', 'thief', 'push'],
      faults: ['slow', 'limited', 'answer-hangs'],
      deviations: ['throw', 'retry-first'],
    },
  },
  'invariant 4: asked for and unstarted stay within the bound, and in flight within maxInFlight': {
    range: { events: ['pause', 'push', 'thief', 'redeliver'], mostMessages: 60, deviations: ['forget'] },
  },
  'invariant 5: an outcome is what the ledger says, and each lease gets one kind of settlement': {
    range: {
      deviations: ['ack-first', 'retry-first', 'ack-last', 'retry-last', 'both', 'close'],
      events: ['close', 'redeliver', 'thief', 'suspend'],
      faults: ['obscured', 'obscured', 'obscured', 'answer-dropped', 'doubled', 'failed'],
      faultyCalls: ['ack'],
    },
    share: 2,
  },
  'invariant 6: a message is never in two handlers of one consumer at once': {
    range: {
      surfaces: ['process', 'processBatches', 'batches'],
      deviations: ['retry-first', 'throw', 'ack-first'],
      events: ['redeliver', 'redeliver', 'redeliver', 'push', 'close'],
      mostClients: 1,
    },
    share: 2,
  },
  'invariant 7: after close() nothing of the consumer is left, and nothing leased that was not handed out': {
    range: { events: ['close', 'close', 'abort', 'leave', 'push', 'refuse-pulls'] },
    share: 2,
  },
  'invariant 7, when the reader of an observable or a stream goes away': {
    range: {
      surfaces: ['toObservable', 'settleMap', 'toReadable, flowing', 'toReadable, for await', 'toReadableStream'],
      events: ['leave', 'leave', 'pause', 'close', 'push', 'suspend', 'redeliver'],
      mostClients: 2,
    },
    share: 2,
  },
  'invariant 8: every delivery is accounted for': { range: { mostClients: 2 } },
  'invariant 9: waiting next() calls are answered in order, each exactly once': {
    range: { surfaces: ['overlapping next()', 'manual', 'toReadableStream'] },
  },
  'a message moved to another queue is acked once it is there, as it was pushed': {
    range: {
      deviations: ['dead-letter-first', 'dead-letter-last', 'dead-letter-and-ack', 'close', 'throw'],
      events: ['close', 'suspend', 'redeliver', 'push'],
      faults: ['refused', 'refused', 'failed', 'answer-dropped', 'request-dropped', 'answer-hangs', 'slow', 'limited'],
      faultyCalls: ['push', 'push', 'ack'],
    },
  },
  'invariant 11: what the broker gives up had a handler started for each attempt, and none that runs': {
    range: {
      surfaces: ['process', 'process', 'processBatches', 'batches', 'for await', 'toObservable'],
      blockOneIn: 1,
      faults: [],
      mostClients: 2,
      mostMessages: 60,
    },
    made: gentle,
    share: 3,
  },
  'every invariant, while handlers and callbacks keep the event loop': {
    range: { blockOneIn: 1, events: ['block', 'block', 'close', 'leave', 'push', 'redeliver'] },
    share: 2,
  },
  'every invariant, while all work fails': {
    range: { outageOneIn: 1, surfaces: ['process', 'process', 'processBatches', 'settleMap'], mostClients: 2 },
    share: 3,
  },
  'every invariant, while processes vanish and are started again': {
    range: { crashOneIn: 1, rateOneIn: 4 },
    share: 3,
  },
  'invariant 11, but for what is lost with a process': {
    range: {
      surfaces: ['process', 'process', 'processBatches', 'batches', 'for await', 'toObservable'],
      faults: [],
      crashOneIn: 1,
      mostClients: 2,
      mostMessages: 60,
    },
    made: gentle,
    share: 3,
  },
  'a message that ends the process which starts it takes no other along': {
    range: {
      surfaces: [
        ...(['process', 'process', 'process', 'processBatches', 'batches', 'for await', 'toObservable'] as const),
        ...(['settleMap', 'process → toWritableStream', 'toReadable → toWritable', 'manual'] as const),
      ],
      blockOneIn: 8,
      crashOneIn: 1,
      mostClients: 2,
      mostMessages: 60,
    },
    made: poisoned,
    share: 3,
  },
  'invariant 12: what a sink takes is settled with it, whatever subset of its pushes fails': {
    range: {
      surfaces: ['toReadable → toWritable', 'process → toWritableStream'],
      deviations: ['forward-badly', 'forward-badly', 'throw', 'close', 'dead-letter-first', 'retry-first'],
      events: ['close', 'abort', 'leave', 'push', 'redeliver', 'suspend'],
      faults: ['refused', 'refused', 'refused', 'failed', 'answer-dropped', 'request-hangs', 'slow', 'limited'],
      faultyCalls: ['push', 'push', 'push', 'ack'],
    },
    share: 2,
  },
  'invariant 13: messages of one key, or all, are started one after the other and in order': {
    range: {
      surfaces: ['process', 'process', 'for await', 'batches', 'processBatches', 'toObservable'],
      orderOneIn: 1,
    },
    share: 2,
  },
  'invariant 13, where handlers fail': {
    range: {
      surfaces: ['process', 'process', 'process → toWritableStream', 'for await', 'batches'],
      deviations: ['throw', 'throw', 'retry-first', 'retry-last', 'ack-first', 'dead-letter-first'],
      events: ['push', 'push', 'redeliver', 'close'],
      faults: ['slow', 'failed', 'answer-dropped', 'limited'],
      orderOneIn: 1,
      mostClients: 2,
    },
    share: 2,
  },
  'invariants 11 and 13, where nothing but the order gets in the way': {
    range: {
      surfaces: ['process', 'process', 'for await', 'batches', 'processBatches'],
      events: ['push', 'push', 'close'],
      deviations: [],
      orderOneIn: 1,
      mostClients: 1,
      mostMessages: 40,
    },
    made: gentle,
    share: 2,
  },
  'invariant 13: no stretch of time has more starts than a rate allows': {
    range: {
      surfaces: ['for await', 'process', 'process', 'batches', 'processBatches'],
      rateOneIn: 1,
      mostMessages: 60,
    },
    share: 2,
  },
  'invariant 13, and none is given up unseen': {
    range: {
      surfaces: ['for await', 'process', 'process', 'batches', 'processBatches'],
      faults: [],
      rateOneIn: 1,
      mostClients: 2,
      mostMessages: 60,
    },
    made: gentle,
    share: 2,
  },
  'an invalid message reaches no handler and is settled as onInvalid says': {
    range: {
      deviations: ['ack-first', 'retry-first', 'dead-letter-last', 'throw'],
      events: ['close', 'abort', 'redeliver', 'push', 'suspend'],
      schemaOneIn: 1,
    },
  },
  'a consumer fails only when it has lost patience, and drops nothing that is finished': {
    range: {
      faults: ['refused', 'html', 'html', 'failed', 'answer-dropped'],
      faultyCalls: ['pull', 'ack', 'ack'],
      faultTimes: [1, 2, 4, 8, 100],
      events: ['close', 'push', 'suspend', 'refuse-pulls', 'jump'],
    },
    share: 2,
  },
  'a consumer that stops when the queue is empty has nothing unsettled': {
    range: {
      deviations: ['throw', 'retry-last', 'ack-first', 'forget', 'dead-letter-first'],
      events: ['push', 'push', 'redeliver', 'thief', 'suspend', 'pause'],
      stopOneIn: 1,
      mostClients: 2,
      mostMessages: 12,
    },
  },
  'a consumer that stops when the queue is empty leaves nothing that is leased to it': {
    range: {
      deviations: [],
      events: ['push', 'suspend', 'pause'],
      faults: ['answer-dropped', 'slow', 'failed', 'answer-hangs'],
      stopOneIn: 1,
      mostClients: 2,
      mostMessages: 12,
    },
  },
};

describe.each(Object.entries(dangers))('%s', (_, { range, made = (schedule) => schedule, share = 1 }) => {
  it('holds', () => checkSchedules(schedules(range).map(made), judgeAll, share * numRuns), timeoutMs);
});
