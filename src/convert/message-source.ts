import type { ConsumeOptions } from '../consumer/consume-options.ts';
import { resolveConsumeOptions } from '../consumer/resolve-consume-options.ts';
import type { Consumer } from '../consumer/consumer.ts';
import { type Deliveries, MessageDeliveries } from '../consumer/handing-out/deliveries.ts';
import { Engine } from '../consumer/engine.ts';
import type { LeasedMessage } from '../consumer/handing-out/leased-message.ts';
import { unseenMode } from '../consumer/handing-out/modes.ts';
import type { QueueContext } from '../consumer/queue-context.ts';
import { checkOptions, rule } from '../contract/check-options.ts';
import { coreOf } from './handle-core.ts';
import { Outlet, type Receiver } from './outlet.ts';

/** How messages are leased and handed out where every message is settled by hand. */
export type SourceOptions = Omit<ConsumeOptions, 'settle' | 'rate'>;

/** A queue of `openQueue()`, of which a consumer is made, or a consumer of `consume()`, to close it and see its `stats`. */
export type MessageSource<Body> = { consume(options?: ConsumeOptions): Consumer<Body> } | Consumer<Body>;

/** The name of the method by which a surface takes a consumer's only turn. Registered, for two copies of the package. */
export const openOutlet: unique symbol = Symbol.for('leasestream.outlet');

/** A consumer whose items a surface takes. */
export interface OutletOwner<Item> {
  /** @throws TypeError when the consumer is read already */
  [openOutlet](receiver: Receiver<Item>): Outlet<Item>;
}

/** Opens an outlet for a consumer made and configured, in the manner of every surface that is called. */
export function newOutlet<Body>(
  context: QueueContext,
  options: SourceOptions,
  receiver: Receiver<LeasedMessage<Body>>,
): Outlet<LeasedMessage<Body>> {
  const resolved = resolveConsumeOptions(options, { settle: 'manual' });
  const engine = new Engine(context, resolved, unseenMode(resolved));
  const deliveries: Deliveries<LeasedMessage<Body>> = new MessageDeliveries<Body>(engine);
  return new Outlet(engine, deliveries, receiver);
}

/** How a surface opens its outlet; made once its arguments are known to be right. */
export type Opener<Item> = (receiver: Receiver<Item>) => Outlet<Item>;

/**
 * Checks what a surface was given.
 *
 * @throws TypeError when the source is neither, or when a consumer, which has its options, is given others; TypeError or
 * RangeError for a wrong option
 */
export function checkSource<Body>(
  action: string,
  source: MessageSource<Body>,
  options: SourceOptions = {},
): Opener<LeasedMessage<Body>> {
  checkOptions(action, options);
  const core = coreOf(source);
  if (core !== undefined) {
    resolveConsumeOptions(options, { settle: 'manual' });
    return (receiver) => newOutlet<Body>(core.context, options, receiver);
  }
  if (!isOwner<LeasedMessage<Body>>(source)) {
    throw new TypeError(rule(action, 'source', 'a queue of openQueue() or a consumer of consume()', source));
  }
  if (Object.values(options).some((value) => value !== undefined)) {
    throw new TypeError(`Cannot ${action} with options: give them to consume(), which made the consumer`);
  }
  return (receiver) => source[openOutlet](receiver);
}

function isOwner<Item>(source: unknown): source is OutletOwner<Item> {
  return typeof source === 'object' && source !== null && openOutlet in source;
}
