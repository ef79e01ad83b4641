import { describe, expect, it } from 'vitest';
import {
  type AckRequest,
  type AckResult,
  type BulkPushRequest,
  type CallOptions,
  encodeBody,
  openQueue,
  type OutgoingMessage,
  type PeekedMessage,
  type PeekRequest,
  type PeekResult,
  type PulledMessage,
  type PullRequest,
  type PullResult,
  type PurgeRequest,
  type PurgeResult,
  type PushResult,
  QueueError,
  type QueueErrorDetails,
  type QueueMetrics,
  type QueueTransport,
  type RetryRequest,
} from '../../src/index.ts';

/** A queue that is a list, written with nothing but what the main entry exports. */
class ListTransport implements QueueTransport {
  readonly #ready: PulledMessage[] = [];
  readonly #leased = new Map<string, PulledMessage>();
  #pushed = 0;

  async push(message: OutgoingMessage, options?: CallOptions): Promise<PushResult> {
    return this.bulkPush({ messages: [message] }, options);
  }

  async bulkPush({ messages }: BulkPushRequest, options?: CallOptions): Promise<PushResult> {
    options?.signal?.throwIfAborted();
    for (const { body, contentType } of messages) {
      const encoded = encodeBody(body, contentType);
      this.#pushed += 1;
      this.#ready.push({
        id: String(this.#pushed),
        leaseId: '',
        attempts: 0,
        timestampMs: 0,
        contentType: encoded.contentType,
        metadata: {},
        body: encoded.contentType === 'text' ? encoded.text : JSON.parse(encoded.text),
        bodyLength: encoded.text.length,
      });
    }
    return { metrics: await this.metrics() };
  }

  async pull({ batchSize = 5 }: PullRequest): Promise<PullResult> {
    const messages = this.#ready.splice(0, batchSize).map((message) => {
      const attempts = message.attempts + 1;
      return { ...message, attempts, leaseId: `${message.id}/${attempts}` };
    });
    for (const message of messages) this.#leased.set(message.leaseId, message);
    return { messages, backlogCount: this.#ready.length + this.#leased.size };
  }

  async ack({ acks, retries }: AckRequest): Promise<AckResult> {
    for (const leaseId of acks) this.#leased.delete(leaseId);
    retries.forEach((retry) => this.#retry(retry));
    return { ackCount: acks.length, retryCount: retries.length, warnings: new Map(), otherWarnings: [] };
  }

  #retry({ leaseId }: RetryRequest): void {
    const message = this.#leased.get(leaseId);
    if (message === undefined) return;
    this.#leased.delete(leaseId);
    this.#ready.push(message);
  }

  async peek({ batchSize = 5 }: PeekRequest): Promise<PeekResult> {
    const messages = this.#ready.slice(0, batchSize).map((message): PeekedMessage => ({ ...message, ref: message.id }));
    return { messages };
  }

  async purge(_request: PurgeRequest): Promise<PurgeResult> {
    const details: QueueErrorDetails = { code: 'refused', status: 400 };
    throw new QueueError('A list can be purged of nothing', details);
  }

  async metrics(): Promise<QueueMetrics> {
    return { backlogCount: this.#ready.length + this.#leased.size, backlogBytes: 0, oldestMessageTimestampMs: 0 };
  }
}

describe('openQueue() with a transport of its user', () => {
  it('pushes, delivers, retries and acknowledges', async () => {
    const transport = new ListTransport();
    const queue = openQueue<{ n: number } | string>({ transport });
    await Promise.all([queue.send({ n: 1 }), queue.send('two')]);
    const seen: unknown[] = [];
    const summary = await queue.process(
      ({ body, attempts }) => {
        seen.push(body);
        if (body === 'two' && attempts === 1) throw new Error('not yet');
      },
      { concurrency: 1, retryDelaySeconds: 0, stopWhenEmpty: true },
    );
    expect(seen).toEqual([{ n: 1 }, 'two', 'two']);
    expect(summary).toMatchObject({ acked: 2, retried: 1 });
    expect(await queue.metrics()).toMatchObject({ backlogCount: 0 });
  });
});
