import { describe, expectTypeOf, it } from 'vitest';
import { createBroker } from '../../src/broker.ts';
import { type KeyedMessage, openQueue } from '../../src/index.ts';

const queue = openQueue<{ account: string }>(createBroker().queue('x'));

describe('process() with key', () => {
  it('gives the key function the message with its body', () => {
    void queue.process(() => undefined, {
      key: (message) => {
        expectTypeOf(message).toEqualTypeOf<KeyedMessage<{ account: string }>>();
        return message.body.account;
      },
    });
  });

  it('takes strings alone', () => {
    // @ts-expect-error a number is no key
    expectTypeOf(queue.process).toBeCallableWith(() => undefined, { key: () => 5 });
    // @ts-expect-error nor is a promise
    expectTypeOf(queue.process).toBeCallableWith(() => undefined, { key: async () => 'a' });
    expectTypeOf<KeyedMessage>().not.toHaveProperty('ack');
  });

  it('is of process alone', () => {
    // @ts-expect-error a loop handles one after the other anyway
    expectTypeOf(queue.consume).toBeCallableWith({ key: () => '' });
  });
});
