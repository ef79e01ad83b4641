import { DeliveredMessage } from '../consumer/handing-out/delivered-message.ts';
import type { LeasedMessage } from '../consumer/handing-out/leased-message.ts';
import { rule } from '../contract/check-options.ts';
import type { Clock } from '../contract/clock.ts';
import { QueueError } from '../contract/errors.ts';
import type { Envelope } from '../producer/envelope.ts';
import type { Forward, Forwardable } from '../producer/forward.ts';
import type { SendOptions } from '../producer/send-options.ts';
import { Sink, type SinkDeps } from '../producer/sink.ts';
import { resolveSinkOptions, type SinkOptions } from '../producer/sink-options.ts';
import { coreOf } from './handle-core.ts';

/** A queue of `openQueue()`, as a target. */
export interface MessageTarget<Body> {
  /** As `send()` of a queue. */
  send(body: Body, options?: SendOptions): Promise<void>;
}

/** What can be written: a body, one with options of its own, or what leased messages become. */
export type WritableItem<Body> = Body | Envelope<Body> | Forward<Body>;

/** What the sinks of Node and of the web are made of. */
export interface OpenSink {
  readonly sink: Sink;
  readonly clock: Clock;
  readonly lingerMs: number;
}

/** @throws TypeError when the target is no queue; TypeError or RangeError for a wrong option */
export function openSink<Body>(action: string, target: MessageTarget<Body>, options?: SinkOptions): OpenSink {
  const core = coreOf(target);
  if (core === undefined) throw new TypeError(rule(action, 'queue', 'a queue of openQueue()', target));
  const resolved = resolveSinkOptions(options);
  const { clock, observers } = core.context;
  const { pusher } = core;
  const sink = new Sink({ pusher, clock, observers, claim, fail }, resolved);
  return { sink, clock, lingerMs: resolved.lingerMs };
}

const claim: SinkDeps['claim'] = (message, isClaimed) => DeliveredMessage.setForwarded(message, isClaimed);
const fail: SinkDeps['fail'] = (message, error) => DeliveredMessage.fail(message as LeasedMessage, error);

/** Not everywhere where web streams are. */
const forgotten =
  typeof FinalizationRegistry === 'undefined'
    ? undefined
    : new FinalizationRegistry((claimed: ReadonlySet<Forwardable>) => {
        const error = new QueueError('The stream was forgotten before it was done with the message', {
          code: 'closed',
        });
        for (const message of claimed) {
          claim(message, false);
          void fail(message, error);
        }
      });

/**
 * Retries what a sink has claimed when its stream is garbage, which can't end any more: one that was corked for good, say,
 * or whose `onRejected` never answers.
 *
 * @param owner - what lives as long as something may still come of the sink
 */
export function endWith(owner: object, { sink }: OpenSink): void {
  forgotten?.register(owner, sink.claimed);
}
