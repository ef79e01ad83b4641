import { errorOf, watch } from '../../contract/callback.ts';
import { rule } from '../../contract/check-options.ts';
import { copyWith } from '../../contract/copy-with.ts';
import type { KeptOrder } from '../../lease/plan-pull.ts';
import type { Decoded } from './decode.ts';
import type { LeasedMessage } from '../handing-out/leased-message.ts';
import { viewMessage } from './view-message.ts';

/** What is known of a message before it is handed out. */
export type KeyedMessage<Body = unknown> = Pick<
  LeasedMessage<Body>,
  'id' | 'body' | 'attempts' | 'timestamp' | 'contentType' | 'metadata' | 'raw'
>;

/** An order that is kept, and what tells the keys. */
export interface Order extends KeptOrder {
  readonly key: KeyOf | undefined;
}

/** Tells the key of a message. */
export type KeyOf = (message: KeyedMessage) => unknown;

/** Gives a message its key; one that has none is invalid. */
export function withKey(decoded: Decoded, order: Order | undefined): Decoded {
  const { message, error } = decoded;
  if (order === undefined || error !== undefined) return decoded;
  try {
    const key = order.key === undefined ? '' : order.key(viewMessage(message));
    watch(key);
    if (typeof key !== 'string') throw new TypeError(rule('process', 'key()', 'a string', key));
    return { message: copyWith(message, { key }) };
  } catch (failure) {
    return { message, error: errorOf('key()', failure) };
  }
}
