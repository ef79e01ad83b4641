import type { Mutant } from './mutant.ts';

const pusher = 'src/producer/pusher.ts';
const sender = 'src/producer/sender.ts';
const sink = 'src/producer/sink.ts';
const splitBatches = 'src/producer/split-batches.ts';

/** Faults of the producer and of sinks. */
export const producerMutants: readonly Mutant[] = [
  {
    name: 'a group is settled when the first of its outputs is confirmed',
    file: sink,
    find: 'if (written.left === 0 && written.failure === undefined) this.#confirmed(written);',
    replace: 'if (written.failure === undefined) this.#confirmed(written);',
    invariant: 12,
  },
  {
    name: 'a claim is not given back with the settlement',
    file: sink,
    find: 'this.#deps.claim(message, false);',
    replace: '',
    invariant: 12,
  },
  {
    name: 'a group that could not be pushed is not retried',
    file: sink,
    find: '} finally {\n      this.#retry(item, error);',
    replace: '} finally {\n      void item;',
    invariant: 12,
  },
  {
    name: 'a destroyed stream goes on pushing',
    file: sink,
    find: 'if (this.#isLeft) throw',
    replace: 'if (this.#isLeft && batch.length < 0) throw',
  },
  {
    name: 'an ordered stream pushes side by side',
    file: sink,
    find: 'this.#options.ordered ? 1 : maxRequests',
    replace: 'maxRequests',
    invariant: 10,
  },
  {
    name: 'a group with a failed output is settled when the others are confirmed',
    file: sink,
    find: 'if (error !== undefined) written.failure ??= { error };',
    replace: 'if (error !== undefined && written.left === 0) written.failure ??= { error };',
    invariant: 12,
  },
  {
    name: 'a message whose push failed counts as sent',
    file: sender,
    find: 'if (error === undefined) waiting?.resolve();',
    replace: 'if (waiting !== undefined) waiting.resolve();',
  },
  {
    name: 'requests that have ended count as under way',
    file: sender,
    find: 'this.#underWay -= 1;',
    replace: '',
  },
  {
    name: 'a refused message takes the others of its batch with it',
    file: pusher,
    find: 'messages.length > 1 && (',
    replace: 'messages.length < 1 && (',
  },
  {
    name: 'the first half of a refused batch is pushed in place of the second',
    file: pusher,
    find: 'messages: messages.slice(middle), first',
    replace: 'messages: messages.slice(0, middle), first',
    invariant: 10,
  },
  {
    name: 'a turn that was broken off is lost',
    file: pusher,
    find: 'bucket.giveBack(at);',
    replace: '',
  },
  {
    name: 'a push is repeated without end',
    file: pusher,
    find: "if (gates.notBefore('push') > givenUpAt) throw error;",
    replace: '',
  },
  {
    name: 'a failed push is repeated millisecond by millisecond',
    file: pusher,
    find: 'backoff.fail()',
    replace: '1',
  },
  {
    name: 'a batch has one message too many',
    file: splitBatches,
    find: 'end - start < limits.batchMessages',
    replace: 'end - start <= limits.batchMessages',
    invariant: 10,
  },
  {
    name: 'a batch has one message too many for its bytes',
    file: splitBatches,
    find: 'if (end > start && bytes > limits.batchBytes) break;',
    replace: 'if (end > start && bytes - weightOf(message) > limits.batchBytes) break;',
    invariant: 10,
  },
  {
    name: 'what the service adds to a message is not weighed',
    file: splitBatches,
    find: 'message.body.bytes + metadataBytes',
    replace: 'message.body.bytes',
  },
  {
    name: 'a quiet time is followed by a burst without bound',
    file: 'src/producer/token-bucket.ts',
    find: 'Math.min(this.#capacity, this.#tokens + elapsed / this.#perToken)',
    replace: 'this.#tokens + elapsed / this.#perToken',
  },
  {
    name: 'a turn that was given back is used before its time',
    file: 'src/producer/token-bucket.ts',
    find: 'if (free !== undefined) return free;',
    replace: 'if (free !== undefined) return now;',
  },
  {
    name: 'the limit of pushes starts anew with every request',
    file: 'src/producer/token-buckets.ts',
    find: 'this.#buckets.set(name, bucket);',
    replace: '',
  },
  {
    name: 'after a failure that concerns all, the other batches are tried all the same',
    file: 'src/producer/push-batches.ts',
    find: 'if (error !== undefined && !isItemFault(error)) fault ??= { error };',
    replace: '',
  },
  {
    name: 'the outcomes of later batches are told of the first messages',
    file: 'src/producer/push-batches.ts',
    find: 'onOutcome(first + index, error)',
    replace: 'onOutcome(index, error)',
    invariant: 10,
  },
  {
    name: 'a message may stand in two groups',
    file: 'src/producer/forward.ts',
    find: 'if (grouped.has(message) || seen.has(message))',
    replace: 'if (seen.has(message))',
  },
  {
    name: 'a group that is written twice is settled twice',
    file: 'src/producer/written-item.ts',
    find: 'written.add(message);',
    replace: '',
  },
  {
    name: 'a body that can not be pushed keeps its messages claimed',
    file: 'src/producer/written-item.ts',
    find: 'this.failure = { error: ownError(error) };',
    replace: 'this.left = 1;',
    invariant: 12,
  },
];
