import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/broker.ts';
import { QueueError } from '../../src/index.ts';
import { forward, type Forwardable } from '../../src/producer/forward.ts';
import type { OnOutcome, Pusher } from '../../src/producer/pusher.ts';
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

  it('acknowledges what is confirmed while others of its request are still tried', async () => {
    const told: string[] = [];
    const note = (what: string): Promise<undefined> => Promise.resolve(void told.push(what));
    const message = (id: string): Forwardable => ({ id, ack: () => note(`acked ${id}`), retry: () => note('retried') });
    const clock = new ManualClock();
    const pusher = {
      push: async (_: unknown, onOutcome: OnOutcome) => {
        onOutcome(1, undefined);
        await new Promise((resolve) => clock.setTimer(() => resolve(undefined), 1_000));
        onOutcome(0, new QueueError('gone', { code: 'network' }));
      },
    } as Partial<Pusher> as Pusher;
    const fail = ({ id }: Forwardable): Promise<undefined> => note(`failed ${id}`);
    const sink = new Sink({ pusher, clock, claim: () => undefined, fail }, options);
    const pushed = sink.push(['a', 'b'].map((id) => sink.take(forward(message(id), ['output']))));
    await clock.advance(500);
    expect(told).toEqual(['acked b']);
    await expect(clock.runUntil(pushed)).rejects.toThrow('gone');
    expect(told).toEqual(['acked b', 'failed a']);
  });
});
