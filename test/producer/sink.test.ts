import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/broker.ts';
import { forward, type Forwardable } from '../../src/producer/forward.ts';
import type { Pusher } from '../../src/producer/pusher.ts';
import { Sink } from '../../src/producer/sink.ts';

const options = { ordered: false, onRejected: undefined, lingerMs: 5 };

describe('Sink', () => {
  it('takes no push that throws for a confirmation', async () => {
    const told: string[] = [];
    const note = (what: string): Promise<undefined> => Promise.resolve(void told.push(what));
    const message: Forwardable = { id: 'm', ack: () => note('acked'), retry: () => note('retried') };
    const pusher = { push: () => Promise.reject(new Error('no timer')) } as unknown as Pusher;
    const sink = new Sink(
      { pusher, clock: new ManualClock(), claim: () => undefined, fail: () => note('failed') },
      options,
    );
    await expect(sink.push([sink.take(forward(message, ['output']))])).rejects.toThrow('no timer');
    expect(told).toEqual(['failed']);
  });
});
