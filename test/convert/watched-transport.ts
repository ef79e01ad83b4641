import type { Clock } from '../../src/contract/clock.ts';
import { QueueError } from '../../src/contract/errors.ts';
import type {
  AckRequest,
  BulkPushRequest,
  CallOptions,
  PullRequest,
  QueueTransport,
} from '../../src/contract/transport.ts';
import type { OutgoingMessage } from '../../src/contract/message.ts';

/** What goes wrong with one call: before or after it took effect, or for good. */
export type Fault = 'request-lost' | 'answer-lost' | 'busy' | 'unauthorized' | 'nothing';

/** What a transport may reject with all the same. */
const nothing: unknown = undefined;

/** A call, as it was made. */
export interface Call {
  readonly method: 'push' | 'pull' | 'ack';
  readonly at: number;
  /** The messages of a push, in order. */
  readonly messages: readonly OutgoingMessage[];
  /** How many a pull asks for. */
  readonly ask: number;
  readonly fault: Fault | undefined;
  /** It was answered with success, and whoever called was still there. */
  isConfirmed: boolean;
}

/** A transport in front of another: takes its time, notes every call, and fails as it is told to. */
export class WatchedTransport implements QueueTransport {
  readonly calls: Call[] = [];
  /** Calls that have not been answered. */
  underWay = 0;
  /** The most pushes that were under way at once. */
  mostPushes = 0;
  latencyMs = 5;
  /** Listens to no signal. */
  isDeaf = false;
  /** Decides about each call, by its method and its place among the calls of that. */
  faults: (method: Call['method'], nth: number) => Fault | undefined = () => undefined;
  /** The messages that the service refuses, and every batch that they are in. */
  refuses: (message: OutgoingMessage) => boolean = () => false;
  /** The status it refuses them with. */
  refusalStatus = 400;
  readonly #beneath: QueueTransport;
  readonly #clock: Clock;
  readonly #counts = { push: 0, pull: 0, ack: 0 };
  #pushes = 0;

  readonly metrics: QueueTransport['metrics'];
  readonly peek: QueueTransport['peek'];
  readonly purge: QueueTransport['purge'];

  constructor(beneath: QueueTransport, clock: Clock) {
    this.#beneath = beneath;
    this.#clock = clock;
    this.metrics = () => beneath.metrics();
    this.peek = (request) => beneath.peek(request);
    this.purge = (request) => beneath.purge(request);
  }

  of(method: Call['method']): Call[] {
    return this.calls.filter((call) => call.method === method);
  }

  push(message: OutgoingMessage, options?: CallOptions): ReturnType<QueueTransport['push']> {
    return this.#pushing({ messages: [message] }, options, () => this.#beneath.push(message));
  }

  bulkPush(request: BulkPushRequest, options?: CallOptions): ReturnType<QueueTransport['push']> {
    return this.#pushing(request, options, () => this.#beneath.bulkPush(request));
  }

  async #pushing<Result>(
    { messages }: BulkPushRequest,
    options: CallOptions | undefined,
    work: () => Promise<Result>,
  ): Promise<Result> {
    const refused = messages.some(this.refuses);
    this.#pushes += 1;
    this.mostPushes = Math.max(this.mostPushes, this.#pushes);
    try {
      return await this.#run({ method: 'push', messages, ask: 0 }, options, () => {
        const status = this.refusalStatus;
        if (refused) throw new QueueError('The service refused it', { code: 'refused', status });
        return work();
      });
    } finally {
      this.#pushes -= 1;
    }
  }

  pull(request: PullRequest, options?: CallOptions): ReturnType<QueueTransport['pull']> {
    const call = { method: 'pull', messages: [], ask: request.batchSize ?? 5 } as const;
    return this.#run(call, options, () => this.#beneath.pull(request));
  }

  ack(request: AckRequest, options?: CallOptions): ReturnType<QueueTransport['ack']> {
    return this.#run({ method: 'ack', messages: [], ask: 0 }, options, () => this.#beneath.ack(request));
  }

  async #run<Result>(
    { method, messages, ask }: Pick<Call, 'method' | 'messages' | 'ask'>,
    options: CallOptions | undefined,
    work: () => Promise<Result>,
  ): Promise<Result> {
    const fault = this.faults(method, this.#counts[method]);
    this.#counts[method] += 1;
    const call: Call = { method, messages, ask, at: this.#clock.now(), fault, isConfirmed: false };
    this.calls.push(call);
    this.underWay += 1;
    try {
      await this.#travel(this.isDeaf ? undefined : options?.signal);
      if (fault === 'request-lost') throw new QueueError('The request was lost', { code: 'network' });
      if (fault === 'busy') throw new QueueError('Busy', { code: 'rate-limited', status: 429, retryAfterMs: 50 });
      if (fault === 'unauthorized') throw new QueueError('Who are you?', { code: 'unauthorized', status: 401 });
      if (fault === 'nothing') throw nothing;
      const result = await work();
      if (fault === 'answer-lost') throw new QueueError('The answer was lost', { code: 'network' });
      call.isConfirmed = true;
      return result;
    } finally {
      this.underWay -= 1;
    }
  }

  #travel(signal: AbortSignal | undefined): Promise<void> {
    if (this.latencyMs === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        timer.cancel();
        reject(signal?.reason);
      };
      const timer = this.#clock.setTimer(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, this.latencyMs);
      signal?.addEventListener('abort', onAbort);
      if (signal?.aborted === true) onAbort();
    });
  }
}
