import { errorOf, watch } from '../../contract/callback.ts';
import { rule } from '../../contract/check-options.ts';
import type { HeldMessage } from '../../lease/lease.ts';
import type { Order } from '../consume-options.ts';
import type { Decoded } from './decode.ts';
import type { LeasedMessage } from '../handing-out/leased-message.ts';

/** What is known of a message before it is handed out. */
export type KeyedMessage<Body = unknown> = Pick<
  LeasedMessage<Body>,
  'id' | 'body' | 'attempts' | 'timestamp' | 'contentType' | 'metadata' | 'raw'
>;

/** Tells the key of a message. */
export type KeyOf = (message: KeyedMessage) => unknown;

/** Gives a message its key; one that has none is invalid. */
export function withKey(
  decoded: Decoded,
  order: Order | undefined,
  view: (message: HeldMessage) => KeyedMessage,
): Decoded {
  const { message, error } = decoded;
  if (order === undefined || error !== undefined) return decoded;
  try {
    const key = order.key === undefined ? '' : order.key(view(message));
    watch(key);
    if (typeof key !== 'string') throw new TypeError(rule('process', 'key()', 'a string', key));
    return { message: { ...message, key } };
  } catch (failure) {
    return { message, error: errorOf('key()', failure) };
  }
}
