import { checkInteger, checkNumber, checkOneOf } from '../contract/check-options.ts';
import { limits } from '../contract/limits.ts';
import { type RequestLimit, resolveRequestLimit } from './http/request-limit.ts';

/**
 * Where the service's behaviour is unknown, was another once, is not what the documentation says, or shows only at its
 * size. Each default is what a test of a client is best served with: the documented or recorded behaviour where there is
 * one, else the one that loses nothing and hides nothing.
 */
export interface BehaviourOptions {
  /** How pulls give JSON bodies: plain as recorded, or in base64 as documented. @defaultValue `'plain'` */
  readonly jsonBodies?: 'plain' | 'base64';
  /**
   * Whether a JSON body may be a number, a boolean or null. A string is always refused, as recorded; of these nobody
   * knows, and who must not send them sees it sooner by refusing. @defaultValue `'accept'`
   */
  readonly jsonScalars?: 'accept' | 'refuse';
  /**
   * Whether a pull, a peek or a settlement without a body is one with defaults, as if it were `{}`: all their fields are
   * optional, and the documentation's own curl sends none. Else it is refused with code 10208, as a push is.
   *
   * @defaultValue `'accept'`
   */
  readonly emptyBodies?: 'accept' | 'refuse';
  /** Warnings of a settlement as a map by lease id, or, as in older answers, a list of texts. @defaultValue `'map'` */
  readonly warnings?: 'map' | 'list';
  /**
   * What a retry by a lease that has ended does: nothing, with a warning, or the same as in time, also when somebody
   * else holds the message by now.
   *
   * @defaultValue `'ignore'`
   */
  readonly lateRetry?: 'ignore' | 'honour';
  /**
   * What a lease id does that no message has: a warning and a lower count, nothing but a count as if it were known, or
   * 400 for the whole request, of which then nothing is done.
   *
   * @defaultValue `'warn'`: the others would hide a mistake, or punish the lease ids beside it
   */
  readonly unknownLeases?: 'warn' | 'count' | 'refuse';
  /**
   * When a message is visible again whose lease ended: after the retry delay of its queue, or at once. The documentation of
   * the delay has it for implicit failures too, of pull consumers as of Workers; that of the visibility timeout says no more
   * than that the message becomes available. The first is about this very case.
   *
   * @defaultValue `'retry-delay'`
   * @see https://developers.cloudflare.com/queues/configuration/batching-retries/#delay-on-retry
   */
  readonly expiredLeases?: 'retry-delay' | 'at-once';
  /** Whether settlements go on while delivery is paused; else they get 409. @defaultValue `'accept'` */
  readonly acksWhilePaused?: 'accept' | 'refuse';
  /**
   * The shortest visibility timeout that a pull may ask for, in milliseconds, 1..43 200 000.
   *
   * @defaultValue 1
   * @see https://developers.cloudflare.com/queues/platform/limits/
   */
  readonly leastVisibilityTimeoutMs?: number;
  /**
   * The `attempts` of a first delivery. Documented, and of Workers, is 1; one public client says that the live pull
   * starts at 0. @defaultValue 1
   */
  readonly firstAttempts?: 0 | 1;
  /**
   * The share of pulls, 0..1, that bring fewer messages than asked for although there are more: at least one, and any
   * smaller number. The service does so, as its queues are spread over machines.
   *
   * @defaultValue 0, so that a test can count on its pulls
   */
  readonly partialPulls?: number;
  /** The order of a pull: by visibility, or any. The service promises none. @defaultValue `'arrival'` */
  readonly order?: 'arrival' | 'shuffled';
  /** What metrics say, those in the answers of pushes and pulls included; 0 stands for unknown. @defaultValue `'exact'` */
  readonly metrics?: 'exact' | 'zero';
  /** How old metrics may be, in milliseconds, 0..86 400 000. The service calls its own best-effort. @defaultValue 0 */
  readonly metricsLagMs?: number;
  /**
   * Which messages the backlog counts. Documented are the unacknowledged ones, so delayed and leased ones too. All but
   * `'all'` cost a walk over the messages.
   *
   * @defaultValue `'all'`
   */
  readonly backlog?: 'all' | 'without-leased' | 'without-delayed' | 'ready';
  /**
   * How long pulls are refused with 405 after an HTTP pull consumer was made, in milliseconds, 0..600 000; seconds, as
   * users of the service report.
   *
   * @defaultValue 0, since every start would wait for it
   */
  readonly pullEnabledAfterMs?: number;
  /**
   * What a message keeps in a dead letter queue beside its body: id and timestamp, as in the platform's own simulator, or
   * nothing: it is pushed anew.
   *
   * @defaultValue `'identity'`
   */
  readonly deadLettersKeep?: 'identity' | 'body';
  /**
   * How many pushes and management calls may be made before all of them get 429. The service's limit is
   * `{ requests: 1_200, perMs: 300_000, blockMs: 300_000 }`; pulls and settlements are exempt.
   *
   * @defaultValue none: a test would hit it within a second
   * @see https://developers.cloudflare.com/fundamentals/api/reference/limits/
   */
  readonly requestLimit?: RequestLimit;
  /**
   * How many messages a queue takes in a second, 1 or more; beyond that pushes get 429 with code 10250. The service's
   * limit is 5 000.
   *
   * @defaultValue none
   * @see https://developers.cloudflare.com/queues/platform/limits/
   */
  readonly messagesPerSecond?: number;
}

/** {@link BehaviourOptions} with every default in place. */
export type Behaviour = Required<Omit<BehaviourOptions, 'requestLimit' | 'messagesPerSecond'>> & {
  readonly requestLimit: Required<RequestLimit> | undefined;
  readonly messagesPerSecond: number | undefined;
};

/** The behaviour of a broker that is told nothing. */
export const defaultBehaviour: Behaviour = {
  jsonBodies: 'plain',
  jsonScalars: 'accept',
  emptyBodies: 'accept',
  warnings: 'map',
  lateRetry: 'ignore',
  unknownLeases: 'warn',
  expiredLeases: 'retry-delay',
  acksWhilePaused: 'accept',
  leastVisibilityTimeoutMs: 1,
  firstAttempts: 1,
  partialPulls: 0,
  order: 'arrival',
  metrics: 'exact',
  metricsLagMs: 0,
  backlog: 'all',
  pullEnabledAfterMs: 0,
  deadLettersKeep: 'identity',
  requestLimit: undefined,
  messagesPerSecond: undefined,
};

const action = 'create a broker';

const choices = {
  jsonBodies: ['plain', 'base64'],
  jsonScalars: ['accept', 'refuse'],
  emptyBodies: ['accept', 'refuse'],
  warnings: ['map', 'list'],
  lateRetry: ['ignore', 'honour'],
  unknownLeases: ['warn', 'count', 'refuse'],
  expiredLeases: ['retry-delay', 'at-once'],
  acksWhilePaused: ['accept', 'refuse'],
  firstAttempts: [0, 1],
  order: ['arrival', 'shuffled'],
  metrics: ['exact', 'zero'],
  backlog: ['all', 'without-leased', 'without-delayed', 'ready'],
  deadLettersKeep: ['identity', 'body'],
} as const satisfies Partial<Record<keyof Behaviour, readonly unknown[]>>;

const ranges = {
  leastVisibilityTimeoutMs: [1, limits.visibilityTimeoutMs],
  metricsLagMs: [0, 86_400_000],
  pullEnabledAfterMs: [0, 600_000],
} as const satisfies Partial<Record<keyof Behaviour, readonly [number, number]>>;

/** The names of all behaviour options. */
export const behaviourNames = Object.keys(defaultBehaviour) as readonly (keyof BehaviourOptions)[];

/** @throws TypeError or RangeError naming the option, its rule and its value */
export function resolveBehaviour(options: BehaviourOptions): Behaviour {
  const given = behaviourNames.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]);
  const requestLimit = options.requestLimit === undefined ? undefined : resolveRequestLimit(options.requestLimit);
  const behaviour: Behaviour = {
    ...defaultBehaviour,
    ...(Object.fromEntries(given) as Partial<Behaviour>),
    requestLimit,
  };
  for (const [name, allowed] of Object.entries(choices)) {
    checkOneOf(action, name, behaviour[name as keyof typeof choices], allowed);
  }
  for (const [name, range] of Object.entries(ranges)) {
    checkInteger(action, name, behaviour[name as keyof typeof ranges], range);
  }
  checkNumber(action, 'partialPulls', behaviour.partialPulls, [0, 1]);
  const { messagesPerSecond } = behaviour;
  if (messagesPerSecond !== undefined) checkInteger(action, 'messagesPerSecond', messagesPerSecond, [1, Infinity]);
  return behaviour;
}
