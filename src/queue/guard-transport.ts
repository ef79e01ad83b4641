import { callWithin } from '../contract/call-within.ts';
import { errorOf } from '../contract/callback.ts';
import { show } from '../contract/check-options.ts';
import type { Clock } from '../contract/clock.ts';
import { QueueError } from '../contract/errors.ts';
import type { AckResult, CallOptions, PullResult, QueueTransport } from '../contract/transport.ts';

/**
 * Gives a transport of the user's as one that keeps the promises of the port: it rejects where the other throws, with a
 * `QueueError` in any case, ends by the signal and the time limit of the call, and gives nothing but answers of the port's
 * form.
 */
export function guardTransport(transport: QueueTransport, clock: Clock): QueueTransport {
  const call = <Result>(
    action: string,
    options: CallOptions | undefined,
    ask: () => Promise<Result>,
    isSound: (answer: Result) => boolean = isObject,
  ): Promise<Result> =>
    callWithin({
      action,
      clock,
      options,
      work: async () => {
        const answer = await ask();
        if (isSound(answer)) return answer;
        const text = `Cannot ${action}: what the transport gave is no answer: ${show(answer)}`;
        // Another push or purge would be one too many: what gave an answer may have done it.
        throw new QueueError(text, { code: isSound === isObject ? 'transport-failed' : 'bad-answer' });
      },
      failureOf: (thrown) => failureOf(action, thrown),
    });
  return {
    push: (message, options) => call('push', options, () => transport.push(message, options)),
    bulkPush: (request, options) => call('bulk push', options, () => transport.bulkPush(request, options)),
    pull: (request, options) => call('pull', options, () => transport.pull(request, options), isPullResult),
    ack: (request, options) => call('ack', options, () => transport.ack(request, options), isAckResult),
    peek: (request, options) => call('peek', options, () => transport.peek(request, options)),
    purge: (request, options) => call('purge', options, () => transport.purge(request, options)),
    metrics: (options) =>
      call(
        'read metrics',
        options,
        () => transport.metrics(options),
        (answer) => isCount(answer?.backlogCount),
      ),
  };
}

// Whether trying again can help, only a code tells. A defect should be seen at once rather than tried for ever.
function failureOf(action: string, thrown: unknown): QueueError {
  if (thrown instanceof QueueError) return thrown;
  const cause = errorOf('it', thrown);
  return new QueueError(`Cannot ${action}: the transport failed: ${cause.message}`, {
    code: 'transport-failed',
    cause,
  });
}

// What follows doubts what the types promise.

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function isPullResult(answer: Partial<PullResult> | undefined): boolean {
  return (
    Array.isArray(answer?.messages) &&
    answer.messages.every(
      (message?: PullResult['messages'][number]) =>
        isText(message?.id) && isText(message?.leaseId) && isCount(message?.attempts) && isCount(message?.bodyLength),
    )
  );
}

function isAckResult(answer: Partial<AckResult> | undefined): boolean {
  return answer?.warnings instanceof Map && Array.isArray(answer.otherWarnings);
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value < Infinity;
}
