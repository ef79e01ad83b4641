import { encodeBody } from '../contract/body.ts';
import { checkInteger, rule } from '../contract/check-options.ts';
import { copyWith } from '../contract/copy-with.ts';
import { QueueError, type QueueErrorCode } from '../contract/errors.ts';
import { abortStateOf } from '../contract/lazy-controller.ts';
import { limits } from '../contract/limits.ts';
import type { OutgoingMessage, QueueMetrics } from '../contract/message.ts';
import type {
  AckRequest,
  AckResult,
  BulkPushRequest,
  CallOptions,
  PeekRequest,
  PeekResult,
  PullRequest,
  PullResult,
  PurgeRequest,
  PurgeResult,
  PushResult,
  QueueTransport,
} from '../contract/transport.ts';
import { checkPullable, type IncomingMessage, pushBatch } from './queue/admission.ts';
import type { Behaviour } from './behaviour.ts';
import { decodeBody } from './queue/body-codec.ts';
import type { MessageQueue } from './queue/queue.ts';
import { Refusal, refusals } from './http/refusal.ts';
import { settle } from './queue/settle.ts';
import type { MessageView } from './queue/stored-message.ts';
import { metadataOf } from './http/wire-answers.ts';

/**
 * The port straight over a queue of the broker: same rules, limits and refusals as over HTTP, no request and no JSON.
 * Every call does its work at once; `timeoutMs` is checked and never used up.
 */
export class DirectTransport implements QueueTransport {
  readonly #queue: MessageQueue;
  readonly #behaviour: Behaviour;
  readonly #flush: (() => Promise<void>) | undefined;

  /** @param flush - resolves once all changes are kept; absent where nothing is */
  constructor(queue: MessageQueue, behaviour: Behaviour, flush?: () => Promise<void>) {
    this.#queue = queue;
    this.#behaviour = behaviour;
    this.#flush = flush;
  }

  async push(message: OutgoingMessage, options?: CallOptions): Promise<PushResult> {
    return this.#carryOut('push', options, () => {
      pushBatch(this.#queue, [readMessage('push', message, undefined)]);
      return { metrics: this.#queue.reportedMetrics() };
    });
  }

  async bulkPush({ messages, delaySeconds }: BulkPushRequest, options?: CallOptions): Promise<PushResult> {
    return this.#carryOut('bulk push', options, () => {
      checkSome('bulk push', 'messages', messages.length);
      checkDelay('bulk push', delaySeconds);
      pushBatch(
        this.#queue,
        messages.map((message) => readMessage('bulk push', message, delaySeconds)),
      );
      return { metrics: this.#queue.reportedMetrics() };
    });
  }

  async pull(
    { batchSize = this.#queue.settings.batchSize, visibilityTimeoutMs }: PullRequest,
    options?: CallOptions,
  ): Promise<PullResult> {
    return this.#carryOut('pull', options, () => {
      checkInteger('pull', 'batchSize', batchSize, [1, limits.batchMessages]);
      this.#checkTimeout(visibilityTimeoutMs);
      checkPullable(this.#queue, this.#behaviour);
      const messages = this.#queue.pull(batchSize, visibilityTimeoutMs).map((message) => ({
        leaseId: message.leaseId,
        bodyLength: message.body.text.length,
        ...seen(message),
      }));
      return { messages, backlogCount: this.#queue.reportedMetrics().backlogCount };
    });
  }

  async ack({ acks, retries }: AckRequest, options?: CallOptions): Promise<AckResult> {
    return this.#carryOut('ack', options, () => {
      checkSome('ack', 'acks and retries', acks.length + retries.length);
      for (const { delaySeconds } of retries) checkDelay('ack', delaySeconds);
      const { ackCount, retryCount, warnings } = settle(this.#queue, { acks, retries }, this.#behaviour);
      return { ackCount, retryCount, warnings, otherWarnings: [] };
    });
  }

  async peek({ batchSize = this.#queue.settings.batchSize }: PeekRequest, options?: CallOptions): Promise<PeekResult> {
    return this.#carryOut('peek', options, () => {
      checkInteger('peek', 'batchSize', batchSize, [1, limits.batchMessages]);
      return { messages: this.#queue.peek(batchSize).map((message) => copyWith(seen(message), { ref: message.ref })) };
    });
  }

  async purge({ refs }: PurgeRequest, options?: CallOptions): Promise<PurgeResult> {
    return this.#carryOut('purge', options, () => {
      checkSome('purge', 'refs', refs.length);
      const unknown = refs.filter((ref) => !this.#queue.purge(ref));
      return { warnings: new Map(unknown.map((ref) => [ref, 'Ref is not known'])) };
    });
  }

  async metrics(options?: CallOptions): Promise<QueueMetrics> {
    return this.#carryOut('read metrics', options, () => this.#queue.reportedMetrics());
  }

  async #carryOut<Result>(action: string, options: CallOptions | undefined, call: () => Result): Promise<Result> {
    abortStateOf(options)?.throwIfAborted();
    const timeoutMs = options?.timeoutMs;
    if (timeoutMs !== undefined && !(timeoutMs > 0)) {
      throw new RangeError(rule(action, 'timeoutMs', 'above 0', timeoutMs));
    }
    try {
      const result = call();
      if (this.#flush !== undefined) await this.#flush();
      return result;
    } catch (error) {
      throw error instanceof Refusal ? failureOf(action, error) : error;
    }
  }

  #checkTimeout(visibilityTimeoutMs: number | undefined): void {
    if (visibilityTimeoutMs === undefined) return;
    checkInteger('pull', 'visibilityTimeoutMs', visibilityTimeoutMs, [1, limits.visibilityTimeoutMs]);
    const least = this.#behaviour.leastVisibilityTimeoutMs;
    if (visibilityTimeoutMs < least) throw refusals.visibilityTimeout(least);
  }
}

function failureOf(action: string, { status, code, message, retryAfterSeconds }: Refusal): QueueError {
  const text = `Cannot ${action}: the broker answered ${status}: ${message} (code ${code})`;
  const retryAfter = retryAfterSeconds === undefined ? {} : { retryAfterMs: retryAfterSeconds * 1000 };
  return new QueueError(text, { code: errorCodeOf(status, code), status, errors: [{ code, message }], ...retryAfter });
}

// Only the refusals of these calls; those of the HTTP side (credentials, routes) can't happen here.
function errorCodeOf(status: number, code: number): QueueErrorCode {
  if (status === 405) return 'pull-not-enabled';
  if (status === 409) return 'delivery-paused';
  if (status === 429) return 'queue-unavailable';
  return code >= 10_204 && code <= 10_206 ? 'too-large' : 'refused';
}

function readMessage(action: string, message: OutgoingMessage, delaySeconds: number | undefined): IncomingMessage {
  checkDelay(action, message.delaySeconds);
  return {
    body: encodeBody(message.body, message.contentType),
    delaySeconds: message.delaySeconds ?? delaySeconds,
  };
}

type SeenMessage = Pick<MessageView, 'id' | 'attempts' | 'timestampMs'> &
  ReturnType<typeof decodeBody> & {
    readonly contentType: MessageView['body']['contentType'];
    readonly metadata: Readonly<Record<string, string>>;
  };

function seen(message: MessageView): SeenMessage {
  const { id, attempts, timestampMs, body } = message;
  const metadata = metadataOf(message);
  return { id, attempts, timestampMs, contentType: body.contentType, metadata, ...decodeBody(body) };
}

function checkDelay(action: string, delaySeconds: number | undefined): void {
  if (delaySeconds !== undefined) checkInteger(action, 'delaySeconds', delaySeconds, [0, limits.delaySeconds]);
}

function checkSome(action: string, name: string, count: number): void {
  if (count === 0) throw new RangeError(`Cannot ${action} as '${name}' must not be empty: current length is 0`);
}
