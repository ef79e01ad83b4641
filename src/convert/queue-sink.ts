import { DeliveredMessage, type LeasedMessage } from '../consumer/leased-message.ts';
import { rule } from '../contract/check-options.ts';
import type { Clock } from '../contract/clock.ts';
import type { Envelope } from '../producer/envelope.ts';
import type { Forward } from '../producer/forward.ts';
import type { SendOptions } from '../producer/sender.ts';
import { Sink } from '../producer/sink.ts';
import { resolveSinkOptions, type SinkOptions } from '../producer/sink-options.ts';
import { coreOf } from './handle-core.ts';

/** A queue of `openQueue()`, as a target. */
export interface MessageTarget<Body> {
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
  const { clock } = core.context;
  const { pusher } = core;
  const sink = new Sink(
    {
      pusher,
      clock,
      claim: (message, isClaimed) => DeliveredMessage.setForwarded(message, isClaimed),
      fail: (message, error) => DeliveredMessage.fail(message as LeasedMessage, error),
    },
    resolved,
  );
  return { sink, clock, lingerMs: resolved.lingerMs };
}
