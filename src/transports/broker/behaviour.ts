import { checkInteger, checkOneOf } from '../../contract/check-options.ts';
import { limits } from '../../contract/limits.ts';

/** Where the service's behaviour is unknown, was another once, or is not what the documentation says. */
export interface BehaviourOptions {
  /** How pulls give JSON bodies: plain as recorded, or in base64 as documented. @defaultValue `'plain'` */
  readonly jsonBodies?: 'plain' | 'base64';
  /** Warnings of a settlement as a map by lease id, or, as in older answers, a list of texts. @defaultValue `'map'` */
  readonly warnings?: 'map' | 'list';
  /**
   * What a retry by a lease that has ended does: nothing, with a warning, or the same as in time, also when somebody
   * else holds the message by now.
   *
   * @defaultValue `'ignore'`
   */
  readonly lateRetry?: 'ignore' | 'honour';
  /** The shortest visibility timeout that a pull may ask for, in milliseconds, 1..43 200 000. @defaultValue 1 */
  readonly leastVisibilityTimeoutMs?: number;
}

/** {@link BehaviourOptions} with every default in place. */
export type Behaviour = Required<BehaviourOptions>;

/** @throws TypeError or RangeError naming the option, its rule and its value */
export function resolveBehaviour(options: BehaviourOptions): Behaviour {
  const { jsonBodies = 'plain', warnings = 'map', lateRetry = 'ignore', leastVisibilityTimeoutMs = 1 } = options;
  const action = 'create a broker';
  checkOneOf(action, 'jsonBodies', jsonBodies, ['plain', 'base64']);
  checkOneOf(action, 'warnings', warnings, ['map', 'list']);
  checkOneOf(action, 'lateRetry', lateRetry, ['ignore', 'honour']);
  checkInteger(action, 'leastVisibilityTimeoutMs', leastVisibilityTimeoutMs, [1, limits.visibilityTimeoutMs]);
  return { jsonBodies, warnings, lateRetry, leastVisibilityTimeoutMs };
}
