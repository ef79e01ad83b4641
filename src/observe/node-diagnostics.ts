import { AsyncResource } from 'node:async_hooks';
import { channel, tracingChannel } from 'node:diagnostics_channel';

import type { ConsumerEvent } from '../contract/consumer-event.ts';
import { copyWith } from '../contract/copy-with.ts';
import type {
  ObservedQueue,
  Observer,
  ProcessEnd,
  ProcessStart,
  ReceiveEnd,
  ReceiveStart,
  SendEnd,
  SendStart,
  SettleEnd,
  SettleStart,
} from '../contract/observer.ts';

/** What is published of an operation: the same object from its begin to its end. */
export type TracedPayload<Start, End> = Start & {
  /** From `asyncStart` on. */
  outcome?: End;
  /** What it failed with, from `error` on; absent where it did not. */
  error?: unknown;
};

/** The payloads of the tracing channels, by the names that `tracingChannel()` takes. */
export interface DiagnosticsPayloads {
  /** Messages are pushed. */
  readonly 'leasestream:send': TracedPayload<SendStart, SendEnd>;
  /** Messages are pulled. */
  readonly 'leasestream:receive': TracedPayload<ReceiveStart, ReceiveEnd>;
  /** Messages are worked on. */
  readonly 'leasestream:process': TracedPayload<ProcessStart, ProcessEnd>;
  /** Settlements are sent. */
  readonly 'leasestream:settle': TracedPayload<SettleStart, SettleEnd>;
}

/** The payload of the channel `leasestream:event`. */
export interface DiagnosticsEvent {
  /** What `onEvent` is told. */
  readonly event: ConsumerEvent;
  /** The handle of the consumer that tells it. */
  readonly queue: ObservedQueue;
}

type Traces = ReturnType<typeof tracingChannel<object, object>>;

const events = channel('leasestream:event');
const traces = {
  send: tracingChannel<object, object>('leasestream:send'),
  receive: tracingChannel<object, object>('leasestream:receive'),
  process: tracingChannel<object, object>('leasestream:process'),
  settle: tracingChannel<object, object>('leasestream:settle'),
} as const;

/**
 * Gives an observer that publishes what is done on `node:diagnostics_channel`, for whoever subscribes: a `TracingChannel` for
 * each operation, `leasestream:send`, `leasestream:receive`, `leasestream:process` and `leasestream:settle`, and the channel
 * `leasestream:event` for what `onEvent` is told. Nothing is published, and no payload made, while nobody has subscribed.
 *
 * `start` and `end` come around the begin of an operation, which for a handler is its synchronous part, in the stores that
 * are bound to `start`; `asyncStart` and `asyncEnd` when it has ended, `error` before them if it failed. What a subscriber
 * throws is an uncaught exception, as of any channel.
 *
 * @example
 * ```ts
 * import { tracingChannel } from 'node:diagnostics_channel';
 * import { openQueue } from 'leasestream';
 * import { type DiagnosticsPayloads, observeWithDiagnostics } from 'leasestream/diagnostics';
 *
 * tracingChannel('leasestream:process').asyncEnd.subscribe((payload) => {
 *   const { messages, outcome } = payload as DiagnosticsPayloads['leasestream:process'];
 *   console.log(messages[0]?.id, outcome?.durationMs);
 * });
 * const queue = openQueue<string>({ queueId: process.env.QUEUE_ID!, observer: observeWithDiagnostics() });
 * await queue.process(({ body }) => console.log(body), { stopWhenEmpty: true });
 * ```
 */
export function observeWithDiagnostics(): Observer {
  return {
    event(event, queue) {
      if (events.hasSubscribers) events.publish({ event, queue });
    },
    send: (start) => follow(traces.send, start),
    receive: (start) => follow(traces.receive, start),
    process: (start) => follow(traces.process, start, start.isRun),
    settle: (start) => follow(traces.settle, start),
  };
}

/** @param isRun - its begin is told when its work is run */
function follow(trace: Traces, start: object, isRun = false): TracedOperation | undefined {
  return trace.hasSubscribers ? new TracedOperation(trace, start, isRun) : undefined;
}

class TracedOperation {
  readonly #trace: Traces;
  readonly #payload: { outcome?: object; error?: unknown };
  #hasBegun = false;
  /** Of the work, for what of it begins later. */
  #resource: AsyncResource | undefined;

  constructor(trace: Traces, start: object, isRun: boolean) {
    this.#trace = trace;
    this.#payload = copyWith(start, {});
    if (!isRun) this.#begin(() => undefined);
  }

  #begin(work: () => void): void {
    this.#hasBegun = true;
    this.#trace.start.runStores(this.#payload, work);
    this.#trace.end.publish(this.#payload);
  }

  run(work: () => void): void {
    if (this.#resource !== undefined) {
      this.#resource.runInAsyncScope(work);
      return;
    }
    this.#begin(() => {
      this.#resource = new AsyncResource('LEASESTREAM');
      work();
    });
  }

  end(how: { readonly error?: unknown }): void {
    if (!this.#hasBegun) this.#begin(() => undefined);
    this.#payload.outcome = how;
    if ('error' in how) {
      this.#payload.error = how.error;
      this.#trace.error.publish(this.#payload);
    }
    this.#trace.asyncStart.publish(this.#payload);
    this.#trace.asyncEnd.publish(this.#payload);
  }
}
