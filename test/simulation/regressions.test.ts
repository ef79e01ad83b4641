import { describe, expect, it } from 'vitest';
import { client, schedule } from './fixed-schedule.ts';
import type { HandlerPlan, HandlerTimes } from './handler-plan.ts';
import { judgeAll } from './invariants.ts';
import { Ledger } from './ledger.ts';
import type { Schedule } from './schedule.ts';
import { runWorld } from './world.ts';

const violations = async (plan: Schedule): Promise<readonly string[]> => judgeAll(new Ledger(await runWorld(plan)));
const quick = { shape: 'constant', ms: 5 } as const;

// Each schedule is what a property failed with, shrunk.
describe('what the simulation found', () => {
  it('does not take a pull for a sign of an empty queue that was overtaken by one with messages', async () => {
    const clients = [
      client('process', { shape: 'constant', ms: 0 }, { batchSize: 10, maxInFlight: 2, stopWhenEmpty: true }),
    ];
    const up = { leastMs: 7_500, mostMs: 7_503 };
    const down = { leastMs: 0, mostMs: 0 };
    expect(
      await violations(schedule({ seed: 8, messages: 11, visibilityTimeoutMs: 30_000, up, down, clients })),
    ).toEqual([]);
  });

  it('counts refusals anew after another failure, also one that came late', async () => {
    const clients = [client('for await', quick, { maxInFlight: 1, batchSize: 10 })];
    const up = { leastMs: 7_500, mostMs: 7_500 };
    const down = { leastMs: 0, mostMs: 0 };
    const limited = { type: 'limited', code: 971, retryAfterSeconds: 0 } as const;
    const faults = [{ client: 0, call: 'pull', nth: 2, times: 1, fault: limited }] as const;
    const events = [{ type: 'refuse-pulls', atMs: 7_501, how: 'not-enabled', forMs: 32_439 }] as const;
    expect(
      await violations(
        schedule({ messages: 0, visibilityTimeoutMs: 30_000, up, down, clients, faults, events, horizonMs: 90_000 }),
      ),
    ).toEqual([]);
  });

  it('gives back a second after its leases what a schema has not judged, though that is leased for longer', async () => {
    const schema = { takesMs: 54_962, refusal: 'throws' } as const;
    const clients = [client('for await', quick, { maxInFlight: 5, batchSize: 10, schema })];
    const events = [
      { type: 'suspend', atMs: 0, ms: 8_116 },
      { type: 'pause', atMs: 0, client: 0, forMs: 58_539 },
    ] as const;
    const down = { leastMs: 7_500, mostMs: 7_500 };
    const misfits = { unfitOneIn: 1, brokenOneIn: undefined };
    expect(
      await violations(
        schedule({ messages: 1, visibilityTimeoutMs: 30_000, horizonMs: 90_000, misfits, down, clients, events }),
      ),
    ).toEqual([]);
  });

  it('takes for finished no work that acknowledges by hand after its settleMap was left', async () => {
    const times = { shape: 'constant', ms: 0 } as const;
    const deviations = [
      { nth: 6, does: 'throw' },
      { nth: 8, does: 'break' },
      { nth: 10, does: 'ack-and-break' },
    ] as const;
    const handler = { times, heedsSignal: false, deviations } as const;
    const clients = [client('settleMap', times, { handler, maxInFlight: 5, batchSize: 100, concurrency: 10 })];
    const down = { leastMs: 200, mostMs: 200 };
    expect(
      await violations(schedule({ messages: 19, visibilityTimeoutMs: 2_000, horizonMs: 6_000, down, clients })),
    ).toEqual([]);
  });

  it('takes for finished no work that acknowledges by hand after its loop was left from outside', async () => {
    const times = { shape: 'jump', ms: 0, until: 1, laterMs: 612 } as const;
    const handler = { times, heedsSignal: false, deviations: [{ nth: 2, does: 'close' }] } as const;
    const clients = [client('for await', times, { handler, maxInFlight: 1, batchSize: 1, onInvalid: 'ack' })];
    const up = { leastMs: 250, mostMs: 250 };
    const down = { leastMs: 10, mostMs: 10 };
    const events = [{ type: 'leave', atMs: 2_000, client: 0 }] as const;
    expect(
      await violations(
        schedule({ messages: 3, visibilityTimeoutMs: 1_000, horizonMs: 3_000, up, down, clients, events }),
      ),
    ).toEqual([]);
  });

  it('leaves no timer of a call that was given up when the consumer closes', async () => {
    const faults = [{ client: 0, call: 'pull', nth: 0, times: 1, fault: { type: 'request-hangs' } }] as const;
    const events = [{ atMs: 100, type: 'close', client: 0, graceMs: 0 }] as const;
    expect(await violations(schedule({ messages: 0, clients: [client('for await', quick)], faults, events }))).toEqual(
      [],
    );
  });

  it('does not count a message as abandoned that was settled by hand when the grace ends', async () => {
    const handler = { times: quick, heedsSignal: false, deviations: [{ nth: 0, does: 'close' }] } as const;
    expect(await violations(schedule({ messages: 1, clients: [client('process', quick, { handler })] }))).toEqual([]);
  });

  it('waits for no handler in turn after turn when a sleep has used up all the time that closing may take', async () => {
    const times = { shape: 'jump', ms: 3_000, until: 1, laterMs: 30_001 } as const;
    const handler = { times, heedsSignal: false, deviations: [{ nth: 0, does: 'close' }] } as const;
    const plan = schedule({
      messages: 2,
      visibilityTimeoutMs: 30_000,
      clients: [client('processBatches', times, { handler, batchSize: 1 })],
      events: [{ type: 'suspend', atMs: 4_001, ms: 44_001 }],
      horizonMs: 90_000,
    });
    expect(await violations(plan)).toEqual([]);
  });

  it('notices that the machine slept after its wall clock had been set back', async () => {
    const events = [
      { atMs: 100, type: 'jump', client: 0, ms: -60_000 },
      { atMs: 1_000, type: 'suspend', ms: 5_000 },
    ] as const;
    const slow = { shape: 'constant', ms: 150 } as const;
    expect(await violations(schedule({ messages: 40, clients: [client('for await', slow)], events }))).toEqual([]);
  });

  it('gives back what the last slow pull brings, however long its lease is', async () => {
    const slow = { type: 'slow', upMs: 38_000, downMs: 28_000 } as const;
    const faults = [{ client: 0, call: 'pull', nth: 2, times: 2, fault: slow }] as const;
    const plan = { messages: 6, visibilityTimeoutMs: 30_000, horizonMs: 90_000, faults };
    expect(await violations(schedule({ ...plan, clients: [client('for await', quick)] }))).toEqual([]);
  });

  it('sends what is settled while it closes without waiting for the call before', async () => {
    const plan = schedule({
      messages: 4,
      visibilityTimeoutMs: 30_000,
      down: { leastMs: 1_000, mostMs: 1_000 },
      clients: [client('for await', { shape: 'constant', ms: 1_000 })],
      faults: [{ client: 0, call: 'ack', nth: 0, times: 1, fault: { type: 'answer-hangs' } }],
      events: [{ atMs: 2_500, type: 'close', client: 0, graceMs: 1_000 }],
    });
    expect(await violations(plan)).toEqual([]);
  });

  it('notices that the machine slept after its wall clock had been set back by a little', async () => {
    const events = [
      { atMs: 15_001, type: 'jump', client: 0, ms: -50 },
      { atMs: 39_982, type: 'suspend', ms: 22_497 },
    ] as const;
    const plan = schedule({
      messages: 3,
      visibilityTimeoutMs: 30_000,
      up: { leastMs: 10, mostMs: 10 },
      down: { leastMs: 7_500, mostMs: 7_500 },
      clients: [client('for await', { shape: 'jump', ms: 750, until: 1, laterMs: 17_964 })],
      events,
      horizonMs: 90_000,
    });
    expect(await violations(plan)).toEqual([]);
  });

  it('keeps the newer lease when the answer to an older pull comes after it', async () => {
    const handler = { times: quick, heedsSignal: false, deviations: [{ nth: 3, does: 'ack-and-break' }] } as const;
    const plan = schedule({
      seed: 0,
      messages: 5,
      visibilityTimeoutMs: 1_000,
      up: { leastMs: 10, mostMs: 50 },
      down: { leastMs: 0, mostMs: 0 },
      clients: [client('for await', quick, { handler, batchSize: 1 })],
      faults: [
        { client: 0, call: 'pull', nth: 0, times: 1, fault: { type: 'failed', status: 500, applied: false } },
        { client: 0, call: 'pull', nth: 4, times: 4, fault: { type: 'slow', upMs: 0, downMs: 1_002 } },
      ],
      horizonMs: 3_000,
    });
    expect(await violations(plan)).toEqual([]);
  });

  it('counts nothing as in flight that was being moved when the consumer gave up waiting', async () => {
    const handler = { times: quick, heedsSignal: false, deviations: [{ nth: 0, does: 'dead-letter-first' }] } as const;
    const faults = [{ client: 0, call: 'push', nth: 0, times: 1, fault: { type: 'answer-hangs' } }] as const;
    const events = [{ atMs: 100, type: 'close', client: 0, graceMs: 0 }] as const;
    const clients = [client('for await', quick, { handler })];
    expect(await violations(schedule({ messages: 1, clients, faults, events }))).toEqual([]);
  });

  it('abandons what runs when the machine sleeps until the consumer gives up waiting', async () => {
    const events = [
      { atMs: 100, type: 'close', client: 0, graceMs: 1_000 },
      { atMs: 500, type: 'suspend', ms: 3_000 },
    ] as const;
    const clients = [client('for await', { shape: 'constant', ms: 20_000 })];
    expect(await violations(schedule({ messages: 1, visibilityTimeoutMs: 30_000, clients, events }))).toEqual([]);
  });

  it('does not end as empty while another pull is under way, which brings something', async () => {
    const plan = schedule({
      messages: 4,
      up: { leastMs: 1, mostMs: 41 },
      down: { leastMs: 1, mostMs: 41 },
      clients: [
        client('batches', { shape: 'constant', ms: 200 }, { maxInFlight: 4, batchSize: 1, stopWhenEmpty: true }),
      ],
      events: [
        { atMs: 170, type: 'pause', client: 0, forMs: 400 },
        { atMs: 573, type: 'push', count: 1 },
      ],
      endsWhenEmpty: false,
      horizonMs: 20_000,
    });
    expect(await violations(plan)).toEqual([]);
  });

  it('does not end as empty while the service still leases to it what lapsed in its buffer', async () => {
    const times = { shape: 'jump', ms: 0, until: 2, laterMs: 2_000 } as const;
    const plan = schedule({
      seed: 0,
      messages: 5,
      up: { leastMs: 200, mostMs: 200 },
      down: { leastMs: 0, mostMs: 0 },
      clients: [client('batches', times, { maxInFlight: 2, stopWhenEmpty: true })],
      horizonMs: 20_000,
    });
    expect(await violations(plan)).toEqual([]);
  });

  it('lets a reader that goes away twice wait for no message in hand', async () => {
    const plan = schedule({
      messages: 4,
      visibilityTimeoutMs: 30_000,
      down: { leastMs: 500, mostMs: 500 },
      clients: [client('manual', { shape: 'jump', ms: 5, until: 3, laterMs: 20_000 })],
      events: [
        { atMs: 1_100, type: 'leave', client: 0 },
        { atMs: 1_150, type: 'leave', client: 0 },
      ],
    });
    expect(await violations(plan)).toEqual([]);
  });

  it('gives back what it has from before a sleep and gets again, when its reader has gone', async () => {
    const does = (times: HandlerTimes, ...deviations: HandlerPlan['deviations']) => ({
      times,
      heedsSignal: true,
      deviations,
    });
    const [steady, fast] = [
      { shape: 'constant', ms: 4_697 },
      { shape: 'bimodal', ms: 667, slowMs: 1_898, oneIn: 10 },
    ] as const;
    const [uneven, tail] = [
      { shape: 'bimodal', ms: 1, slowMs: 3_997, oneIn: 3 },
      { shape: 'heavy-tail', ms: 200 },
    ] as const;
    const thrown = does(steady, { nth: 8, does: 'ack-and-break' }, { nth: 0, does: 'throw' });
    const byHand = { ...does(fast, { nth: 0, does: 'ack-last' }), heedsSignal: false };
    const forgetful = does(uneven, { nth: 7, does: 'retry-first' }, { nth: 7, does: 'forget' });
    const plan = schedule({
      seed: 840_696_645,
      messages: 9,
      hasDeadLetterQueue: false,
      up: { leastMs: 60, mostMs: 60 },
      down: { leastMs: 0, mostMs: 0 },
      clients: [
        client('toObservable', steady, { handler: thrown, maxInFlight: 1, batchSize: 3 }),
        client('manual', fast, { handler: byHand, maxInFlight: 1, batchSize: 1 }),
        client('toReadable, flowing', uneven, { handler: forgetful, batchSize: 3 }),
        client('generator', tail, {
          handler: does(tail),
          batchSize: 10,
          onInvalid: { takesMs: 0, answers: ['throw'] },
        }),
      ],
      events: [{ type: 'suspend', atMs: 500, ms: 1_900 }],
      horizonMs: 6_000,
    });
    expect(await violations(plan)).toEqual([]);
  });
});

describe('what random schedules rarely bring about', () => {
  it('gives back what a stream holds for its reader when it is destroyed', async () => {
    const events = [
      { atMs: 50, type: 'pause', client: 0, forMs: 10_000 },
      { atMs: 100, type: 'push', count: 2 },
      { atMs: 1_500, type: 'leave', client: 0 },
    ] as const;
    const plan = { messages: 1, visibilityTimeoutMs: 30_000, events, endsWhenEmpty: false };
    for (const surface of ['toReadable, flowing', 'toReadableStream'] as const) {
      expect(await violations(schedule({ ...plan, clients: [client(surface, quick)] }))).toEqual([]);
    }
  });

  it('ends no later when it is closed again with more grace', async () => {
    const clients = [client('for await', { shape: 'constant', ms: 20_000 })];
    const events = [
      { type: 'close', atMs: 100, client: 0, graceMs: 100 },
      { type: 'close', atMs: 150, client: 0, graceMs: 30_000 },
    ] as const;
    expect(await violations(schedule({ messages: 1, visibilityTimeoutMs: 30_000, clients, events }))).toEqual([]);
  });

  it('does not start what came again after it was given up and is finished while it is buffered', async () => {
    const down = { leastMs: 400, mostMs: 400 };
    const events = [{ type: 'pause', atMs: 2_200, client: 0, forMs: 1_000 }] as const;
    for (const surface of ['manual', 'toObservable', 'settleMap'] as const) {
      const clients = [client(surface, { shape: 'constant', ms: 2_200 })];
      expect(await violations(schedule({ messages: 1, down, clients, events }))).toEqual([]);
    }
  });

  it('gives back what waits for the handler of its retried earlier delivery when the consumer closes', async () => {
    const long = { shape: 'constant', ms: 5_000 } as const;
    const handler = { times: long, heedsSignal: false, deviations: [{ nth: 0, does: 'retry-first' }] } as const;
    const clients = [client('process', long, { handler })];
    const events = [{ atMs: 1_000, type: 'abort', client: 0 }] as const;
    expect(await violations(schedule({ messages: 1, visibilityTimeoutMs: 30_000, clients, events }))).toEqual([]);
  });

  it('gives back what its schema, or onInvalid, has not answered for when the grace is over', async () => {
    const events = [{ type: 'close', atMs: 100, client: 0, graceMs: 0 }] as const;
    const plan = {
      messages: 2,
      visibilityTimeoutMs: 30_000,
      misfits: { unfitOneIn: 1, brokenOneIn: undefined },
      events,
    };
    const slow = { schema: { takesMs: 10_000, refusal: 'issues' } } as const;
    const undecided = {
      ...slow,
      schema: { ...slow.schema, takesMs: undefined },
      onInvalid: { takesMs: 10_000, answers: ['ack'] },
    } as const;
    for (const options of [slow, undecided]) {
      expect(await violations(schedule({ ...plan, clients: [client('for await', quick, options)] }))).toEqual([]);
    }
  });

  it('does not count the time of who is told of a failure as the time of the handler', async () => {
    const clients = [
      client('toReadable → toWritable', { shape: 'one key', ms: 333, slowMs: 249, oneIn: 3 }, {
        maxInFlight: 2,
        batchSize: 10,
        concurrency: 10,
        handler: {
          heedsSignal: true,
          deviations: [
            { nth: 1, does: 'ack-last' },
            { nth: 0, does: 'dead-letter-last' },
          ],
          times: { shape: 'one key', ms: 333, slowMs: 249, oneIn: 3 },
        },
        schema: { takesMs: 1997, refusal: 'issues' },
        onInvalid: 'throw',
        callbacks: { onEvent: 20, validate: 1, onRejected: 333 },
        rate: { limit: 2, perMs: 100 },
      } as const),
      client('process', { shape: 'bimodal', ms: 25, slowMs: 753, oneIn: 3 }, {
        maxInFlight: 1,
        batchSize: 3,
        concurrency: 50,
        handler: {
          heedsSignal: true,
          deviations: [
            { nth: 0, does: 'forget' },
            { nth: 2, does: 'dead-letter-last' },
            { nth: 4, does: 'both' },
            { nth: 12, does: 'ack-and-break' },
          ],
          times: { shape: 'bimodal', ms: 25, slowMs: 753, oneIn: 3 },
        },
        rate: { limit: 5, perMs: 1000 },
        breaker: { failures: 3, maxProbeMs: 1000 },
      } as const),
      client('process → toWritableStream', { shape: 'heavy-tail', ms: 25 }, {
        maxInFlight: 1,
        batchSize: 3,
        handler: {
          heedsSignal: false,
          deviations: [
            { nth: 4, does: 'retry-first' },
            { nth: 0, does: 'forget' },
            { nth: 12, does: 'forward-badly' },
            { nth: 3, does: 'break' },
          ],
          times: { shape: 'heavy-tail', ms: 25 },
        },
        schema: { takesMs: 538, refusal: 'throws' },
        callbacks: { onEvent: 20, onInvalid: 20 },
        rate: { limit: 5, perMs: 500 },
      } as const),
    ];
    expect(
      await violations(
        schedule({
          seed: 2057621285,
          messages: 18,
          visibilityTimeoutMs: 1000,
          maxRetries: 0,
          hasDeadLetterQueue: false,
          up: { leastMs: 250, mostMs: 250 },
          down: { leastMs: 0, mostMs: 0 },
          horizonMs: 8000,
          clients,
        }),
      ),
    ).toEqual([]);
  });

  it('keeps no probe whose lease has ended, which is in hand no longer', async () => {
    const clients = [
      client('process', { shape: 'bimodal', ms: 10_000, slowMs: 28_502, oneIn: 10 }, {
        maxInFlight: 1,
        batchSize: 10,
        handler: {
          heedsSignal: true,
          deviations: [
            { nth: 11, does: 'dead-letter-and-ack' },
            { nth: 5, does: 'close' },
          ],
          times: { shape: 'bimodal', ms: 10_000, slowMs: 28_502, oneIn: 10 },
        },
        order: { keys: 8 },
        rate: { limit: 5, perMs: 1_000 },
      } as const),
      client('settleMap', { shape: 'bimodal', ms: 1, slowMs: 57_731, oneIn: 3 }, {
        handler: {
          heedsSignal: true,
          deviations: [
            { nth: 8, does: 'throw' },
            { nth: 5, does: 'close' },
          ],
          times: { shape: 'bimodal', ms: 1, slowMs: 57_731, oneIn: 3 },
        },
        onInvalid: { takesMs: 0, answers: ['throw', 'retry', 'fail'] },
        order: { keys: 1 },
        breaker: { failures: 3, maxProbeMs: 1_000 },
      } as const),
    ];
    const none = { leastMs: 0, mostMs: 0 };
    expect(
      await violations(
        schedule({
          seed: 905_975_410,
          messages: 18,
          visibilityTimeoutMs: 30_000,
          maxRetries: 0,
          hasDeadLetterQueue: false,
          up: none,
          down: none,
          faults: [{ client: 0, call: 'pull', nth: 0, times: 1, fault: { type: 'doubled' } }],
          events: [{ type: 'suspend', atMs: 0, ms: 30_000 }],
          outages: [{ atMs: 0, forMs: 86_400_000 }],
          horizonMs: 90_000,
          clients,
        }),
      ),
    ).toEqual([]);
  });

  it('starts nothing whose lease ended while somebody was told of others that were dropped', async () => {
    const times = { shape: 'bimodal', ms: 5, slowMs: 998, oneIn: 3 } as const;
    const clients = [
      client('toReadable, for await', times, {
        maxInFlight: 2,
        batchSize: 1,
        handler: {
          times,
          heedsSignal: false,
          deviations: [
            { nth: 5, does: 'forward-badly' },
            { nth: 11, does: 'both' },
            { nth: 1, does: 'forward-badly' },
            { nth: 6, does: 'retry-last' },
          ],
        },
        callbacks: { onEvent: 20, onInvalid: 200, onRejected: 667 },
      }),
    ];
    expect(
      await violations(
        schedule({
          seed: 27,
          messages: 12,
          maxRetries: 0,
          hasDeadLetterQueue: false,
          up: { leastMs: 0, mostMs: 0 },
          down: { leastMs: 0, mostMs: 40 },
          horizonMs: 6_000,
          clients,
        }),
      ),
    ).toEqual([]);
  });

  it('waits a last while for an acknowledgement that failed at the very end, and sleeps through it', async () => {
    const slow = { shape: 'bimodal', ms: 1, slowMs: 15_002, oneIn: 10 } as const;
    const jump = { shape: 'jump', ms: 0, until: 6, laterMs: 28_498 } as const;
    const oneKey = { shape: 'one key', ms: 0, slowMs: 81_230, oneIn: 2 } as const;
    const clients = [
      client('toReadable → toWritable', slow, {
        maxInFlight: 2,
        batchSize: 10,
        handler: {
          times: slow,
          blocking: { oneIn: 1, part: 'all' },
          heedsSignal: false,
          deviations: [{ nth: 2, does: 'dead-letter-first' }],
        },
        order: { keys: 2 },
        rate: { limit: 1_000_000, perMs: 1_000 },
        stopWhenEmpty: { forMs: 1_501 },
      }),
      client('toObservable', jump, {
        maxInFlight: 2,
        batchSize: 10,
        handler: {
          times: jump,
          heedsSignal: true,
          deviations: [
            { nth: 7, does: 'close' },
            { nth: 10, does: 'retry-last' },
            { nth: 4, does: 'forget' },
            { nth: 2, does: 'ack-and-break' },
          ],
        },
        breaker: { failures: 3, maxProbeMs: 1_000 },
      }),
      client('processBatches', oneKey, {
        maxInFlight: 2,
        batchSize: 100,
        onInvalid: 'ack',
        rate: { limit: 1, perMs: 30_000 },
      }),
    ];
    expect(
      await violations(
        schedule({
          seed: 1_249_615_031,
          messages: 21,
          visibilityTimeoutMs: 30_000,
          hasDeadLetterQueue: false,
          up: { leastMs: 1, mostMs: 1 },
          down: { leastMs: 60, mostMs: 63 },
          events: [{ type: 'suspend', atMs: 30_000, ms: 15_000 }],
          horizonMs: 90_000,
          clients,
        }),
      ),
    ).toEqual([]);
  });

  it('counts from when it can tell that its reader has gone, while an event is told, until it gives up', async () => {
    const jump = { shape: 'jump', ms: 0, until: 7, laterMs: 5_999 } as const;
    const clients = [
      client('generator', jump, {
        maxInFlight: 1,
        batchSize: 1,
        concurrency: 10,
        handler: {
          times: jump,
          blocking: { oneIn: 10, part: 'first half' },
          heedsSignal: true,
          deviations: [{ nth: 8, does: 'dead-letter-first' }],
        },
        callbacks: { onEvent: 200 },
        breaker: { failures: 1, maxProbeMs: 100 },
      }),
    ];
    const fault = { type: 'limited', code: 10_250, retryAfterSeconds: 40 } as const;
    expect(
      await violations(
        schedule({
          seed: 0,
          messages: 8,
          hasDeadLetterQueue: false,
          up: { leastMs: 200, mostMs: 200 },
          down: { leastMs: 0, mostMs: 0 },
          faults: [{ client: 0, call: 'pull', nth: 2, times: 1, fault }],
          horizonMs: 6_000,
          clients,
        }),
      ),
    ).toEqual([]);
  });

  it('takes no start for late whose lease a broker cut short by less than a millisecond', async () => {
    const slow = (ms: number, slowMs: number, oneIn: number) => ({ shape: 'bimodal', ms, slowMs, oneIn }) as const;
    const times = slow(0, 1_001, 3);
    const deviations = [
      { nth: 9, does: 'both' },
      { nth: 0, does: 'ack-and-break' },
      { nth: 6, does: 'retry-last' },
    ] as const;
    const clients = [
      client('processBatches', slow(667, 1_130, 3), { batchSize: 3 }),
      client(
        'toObservable',
        { shape: 'heavy-tail', ms: 0 },
        { maxInFlight: 2, batchSize: 3, concurrency: 1, schema: { takesMs: 4_003, refusal: 'issues' } },
      ),
      client(
        'process → toWritableStream',
        { shape: 'one key', ms: 50, slowMs: 969, oneIn: 2 },
        { maxInFlight: 2, batchSize: 10 },
      ),
      client('toObservable', times, {
        maxInFlight: 5,
        concurrency: 1,
        handler: { times, heedsSignal: false, deviations },
        order: 'ordered',
      }),
    ];
    const events = [
      { type: 'push', atMs: 1_168, count: 4 },
      { type: 'broker-jump', atMs: 188, ms: 50, forMs: 2_684 },
      { type: 'jump', atMs: 0, client: 1, ms: 50 },
    ] as const;
    expect(
      await violations(
        schedule({
          seed: 1_335_433_379,
          messages: 16,
          hasDeadLetterQueue: false,
          up: { leastMs: 0, mostMs: 0 },
          down: { leastMs: 500, mostMs: 500 },
          events,
          horizonMs: 6_000,
          clients,
        }),
      ),
    ).toEqual([]);
  });
});
