import { delay } from '../../src/contract/delay.ts';
import type { Clock } from '../../src/contract/clock.ts';
import { QueueError } from '../../src/contract/errors.ts';
import type { OutgoingMessage, QueueMetrics } from '../../src/contract/message.ts';
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
} from '../../src/contract/transport.ts';

/** A call that was made. */
export interface Call {
  readonly method: keyof QueueTransport;
  readonly request: unknown;
  /** When, on the monotonic clock. */
  readonly at: number;
}

/** Decides what a call gives; `answer` asks the transport beneath. */
export type Script = (call: Call, answer: () => Promise<unknown>) => Promise<unknown>;

/** A transport in front of another: notes every call, takes its time, and does what its script says. */
export class ScriptedTransport implements QueueTransport {
  readonly calls: Call[] = [];
  /** Calls that have not been answered. */
  underWay = 0;
  /** How long the way there takes, in milliseconds. */
  latencyMs = 0;
  /** It heeds neither signals nor time limits. */
  isDeaf = false;
  script: Script = (_, answer) => answer();
  readonly #beneath: QueueTransport;
  readonly #clock: Clock;

  constructor(beneath: QueueTransport, clock: Clock) {
    this.#beneath = beneath;
    this.#clock = clock;
  }

  /** The calls of one method. */
  of(method: keyof QueueTransport): Call[] {
    return this.calls.filter((call) => call.method === method);
  }

  /** The requests of the settle calls. */
  get settled(): AckRequest[] {
    return this.of('ack').map(({ request }) => request as AckRequest);
  }

  /** Each call of this method fails with this error. */
  fail(method: keyof QueueTransport, error: unknown): void {
    this.script = (call, answer) => (call.method === method ? Promise.reject(error) : answer());
  }

  /** Calls of this method are never answered. */
  hang(method: keyof QueueTransport): void {
    this.script = (call, answer) => (call.method === method ? new Promise(() => undefined) : answer());
  }

  async #run<Result>(
    call: Pick<Call, 'method' | 'request'>,
    options: CallOptions | undefined,
    answer: () => Promise<Result>,
  ): Promise<Result> {
    const noted = { ...call, at: this.#clock.monotonic() };
    this.calls.push(noted);
    this.underWay += 1;
    const { signal, timeoutMs } = this.isDeaf ? {} : (options ?? {});
    signal?.throwIfAborted();
    const over = new AbortController();
    const end = (): void => over.abort(signal?.reason);
    signal?.addEventListener('abort', end);
    const timeout = new QueueError(`The ${call.method} took too long`, { code: 'timeout' });
    const timer = timeoutMs === undefined ? undefined : this.#clock.setTimer(() => over.abort(timeout), timeoutMs);
    const ended = new Promise<never>((_, reject) => {
      over.signal.addEventListener('abort', () => reject(over.signal.reason));
    });
    const work = async (): Promise<Result> => {
      if (this.latencyMs > 0) await delay(over.signal, this.#clock, this.latencyMs);
      return (await this.script(noted, answer)) as Result;
    };
    try {
      return await Promise.race([work(), ended]);
    } finally {
      this.underWay -= 1;
      timer?.cancel();
      signal?.removeEventListener('abort', end);
    }
  }

  push(request: OutgoingMessage, options?: CallOptions): Promise<PushResult> {
    return this.#run({ method: 'push', request }, options, () => this.#beneath.push(request));
  }

  bulkPush(request: BulkPushRequest, options?: CallOptions): Promise<PushResult> {
    return this.#run({ method: 'bulkPush', request }, options, () => this.#beneath.bulkPush(request));
  }

  pull(request: PullRequest, options?: CallOptions): Promise<PullResult> {
    return this.#run({ method: 'pull', request }, options, () => this.#beneath.pull(request));
  }

  ack(request: AckRequest, options?: CallOptions): Promise<AckResult> {
    return this.#run({ method: 'ack', request }, options, () => this.#beneath.ack(request));
  }

  peek(request: PeekRequest, options?: CallOptions): Promise<PeekResult> {
    return this.#run({ method: 'peek', request }, options, () => this.#beneath.peek(request));
  }

  purge(request: PurgeRequest, options?: CallOptions): Promise<PurgeResult> {
    return this.#run({ method: 'purge', request }, options, () => this.#beneath.purge(request));
  }

  metrics(options?: CallOptions): Promise<QueueMetrics> {
    return this.#run({ method: 'metrics', request: undefined }, options, () => this.#beneath.metrics());
  }
}
