import { checkFunction, rule } from '../contract/check-options.ts';
import type { Clock } from '../contract/clock.ts';
import { systemClock } from '../contract/system-clock.ts';
import { type Behaviour, behaviourNames, type BehaviourOptions, resolveBehaviour } from './behaviour.ts';
import { checkNames, checkObject } from '../contract/check-names.ts';
import type { Credentials } from './http/credentials.ts';
import { ForwardClock } from './time/forward-clock.ts';
import type { FaultOptions } from './faults/fault-options.ts';
import type { JournalListener } from './queue/journal.ts';
import type { QueueSettings } from './queue/settings.ts';

/** How a broker is made. Every option has a default. */
export interface BrokerOptions extends BehaviourOptions {
  /** Letters, digits, `_` and `-`. @defaultValue `'0123456789abcdef0123456789abcdef'` */
  readonly accountId?: string;
  /** What clients authenticate with. @defaultValue `'local-token'` */
  readonly apiToken?: string;
  /** With `apiKey`: the older way to authenticate is accepted as well. @defaultValue none */
  readonly email?: string;
  /** With `email`. @defaultValue none */
  readonly apiKey?: string;
  /** Its wall clock is the broker's time, which goes on where that is set back. @defaultValue the system's */
  readonly clock?: Clock;
  /** What ids are made from: numbers of at least 0 and less than 1. @defaultValue `Math.random` */
  readonly random?: () => number;
  /** The queues to begin with, by name. @defaultValue none */
  readonly queues?: Readonly<Record<string, QueueSettings>>;
  /** What shall go wrong from the start; {@link Broker.setFaults} changes it. @defaultValue nothing */
  readonly faults?: FaultOptions;
  /** Is told of everything that happens to a message. @defaultValue none */
  readonly onJournal?: JournalListener;
}

/** {@link BrokerOptions}, checked, with every default in place. */
export interface ResolvedBrokerOptions {
  readonly accountId: string;
  readonly credentials: Credentials;
  readonly clock: ForwardClock;
  readonly random: () => number;
  readonly onJournal: JournalListener | undefined;
  readonly behaviour: Behaviour;
  readonly faults: FaultOptions;
}

/** The token of a broker that is told none: everybody knows it. */
export const publicToken = 'local-token';

const defaults = { accountId: '0123456789abcdef0123456789abcdef', apiToken: publicToken } as const;

/** The names of all options. */
export const brokerOptionNames: readonly string[] = [
  'accountId',
  'apiToken',
  'email',
  'apiKey',
  'clock',
  'random',
  'queues',
  'faults',
  'onJournal',
  ...behaviourNames,
];

const action = 'create a broker';

/** @throws TypeError or RangeError naming the option and its rule, and its value unless that is a secret */
export function resolveBrokerOptions(options: BrokerOptions): ResolvedBrokerOptions {
  checkNames(action, options, { kind: 'option', allowed: brokerOptionNames });
  const { accountId = defaults.accountId, apiToken = defaults.apiToken, email, apiKey } = options;
  const { clock = systemClock, random = Math.random, onJournal, faults = {} } = options;
  if (typeof accountId !== 'string' || !/^[\w-]+$/.test(accountId)) {
    throw new TypeError(rule(action, 'accountId', "an id of letters, digits, '_' and '-'", accountId));
  }
  checkSecret('apiToken', apiToken);
  if ((email === undefined) !== (apiKey === undefined)) {
    throw new TypeError(`Cannot ${action} as 'email' and 'apiKey' must be given together`);
  }
  if (email !== undefined) checkSecret('email', email);
  if (apiKey !== undefined) checkSecret('apiKey', apiKey);
  checkObject(action, 'queues', options.queues ?? {});
  checkFunction(action, 'random', random);
  if (onJournal !== undefined) checkFunction(action, 'onJournal', onJournal);
  const credentials = { apiToken, email, apiKey };
  const behaviour = resolveBehaviour(options);
  return { accountId, credentials, clock: new ForwardClock(clock), random, onJournal, faults, behaviour };
}

function checkSecret(name: string, value: unknown): void {
  if (typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)) return;
  throw new TypeError(`Cannot ${action} as '${name}' must be printable ASCII characters without spaces`);
}
