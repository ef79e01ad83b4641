import { tagOf } from '../contract/check-options.ts';
import { QueueError } from '../contract/errors.ts';
import type { ContentType, PulledMessage } from '../contract/message.ts';
import type { AckRequest, AckResult, PullRequest, PullResult, QueueTransport } from '../contract/transport.ts';
import type { PushedBatch, PushedMessage } from './pushed-batch.ts';

/**
 * A batch that the platform pushed, as a queue that is pulled from: what consumers do with leases is done with it, and their
 * settlements are the platform's.
 */
export class BatchTransport implements QueueTransport {
  readonly #waiting: PushedMessage[];
  /** What is not settled, by its lease id. */
  readonly #open: Map<string, PushedMessage>;
  readonly #end = new AbortController();

  constructor({ messages }: PushedBatch) {
    this.#waiting = [...messages];
    this.#open = new Map(messages.map((message) => [leaseIdOf(message), message]));
    if (this.#open.size === 0) this.#end.abort();
  }

  /** Aborts when every message is settled. */
  get settled(): AbortSignal {
    return this.#end.signal;
  }

  async pull({ batchSize = 5 }: PullRequest): Promise<PullResult> {
    return { messages: this.#waiting.splice(0, batchSize).map(pulledOf), backlogCount: this.#open.size };
  }

  async ack({ acks, retries }: AckRequest): Promise<AckResult> {
    const ackCount = acks.filter((leaseId) => this.#settle(leaseId, (message) => message.ack())).length;
    const retryCount = retries.filter(({ leaseId, delaySeconds }) =>
      this.#settle(leaseId, (message) => message.retry(delaySeconds === undefined ? {} : { delaySeconds })),
    ).length;
    if (this.#open.size === 0) this.#end.abort();
    return { ackCount, retryCount, warnings: new Map(), otherWarnings: [] };
  }

  #settle(leaseId: string, how: (message: PushedMessage) => void): boolean {
    const message = this.#open.get(leaseId);
    if (message === undefined) return false;
    this.#open.delete(leaseId);
    how(message);
    return true;
  }

  /** Retries what is not settled: the platform would acknowledge it once its handler has returned. */
  retryRest(): void {
    for (const message of this.#waiting.splice(0)) {
      this.#settle(leaseIdOf(message), () => message.retry({ delaySeconds: 0 }));
    }
    for (const leaseId of this.#open.keys()) this.#settle(leaseId, (message) => message.retry());
  }

  push(): Promise<never> {
    return refuse();
  }

  bulkPush(): Promise<never> {
    return refuse();
  }

  peek(): Promise<never> {
    return refuse();
  }

  purge(): Promise<never> {
    return refuse();
  }

  metrics(): Promise<never> {
    return refuse();
  }
}

async function refuse(): Promise<never> {
  throw new QueueError('A batch that the platform pushed can only be settled', { code: 'transport-failed' });
}

function leaseIdOf({ id, attempts }: PushedMessage): string {
  return `${id}:${attempts}`;
}

function pulledOf(message: PushedMessage): PulledMessage {
  const { id, attempts, timestamp } = message;
  const body = message.body instanceof ArrayBuffer ? new Uint8Array(message.body) : message.body;
  return {
    id,
    leaseId: leaseIdOf(message),
    attempts,
    timestampMs: timestamp.getTime(),
    contentType: contentTypeOf(body),
    metadata: {},
    body,
    bodyLength: 0,
  };
}

/** The platform does not tell it: what else gives such a body. */
function contentTypeOf(body: unknown): ContentType {
  if (typeof body === 'string') return 'text';
  if (body instanceof Uint8Array) return 'bytes';
  const isPlain = typeof body === 'number' || typeof body === 'boolean' || body === null || Array.isArray(body);
  return isPlain || tagOf(body) === 'Object' ? 'json' : 'v8';
}
