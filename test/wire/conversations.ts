import { readdirSync, readFileSync } from 'node:fs';
import type { BehaviourOptions, EventSubscription, QueueSettings } from '../../src/broker.ts';

/** A request and its answer, as the service's documentation, its official clients or records of others have them. */
export interface Conversation {
  readonly name: string;
  /** Where it is from. Names and ids of accounts and people are replaced. */
  readonly source: string;
  readonly method: string;
  /** Below the base URL, with `ACCOUNT_ID`, `QUEUE_ID`, `CONSUMER_ID` and `SUBSCRIPTION_ID` in the place of ids. */
  readonly path: string;
  /** The JSON of the request, ids replaced as in the path; absent where there is no body. */
  readonly request?: unknown;
  readonly status: number;
  /** The JSON of the answer. */
  readonly answer: { readonly success?: boolean; readonly errors?: readonly Coded[]; readonly result?: unknown };
  /** What the client makes of a refusal. */
  readonly error?: string;
  /** What there must be before it: a queue named `jobs` is always there. */
  readonly given: {
    readonly settings?: QueueSettings;
    readonly messages?: readonly GivenMessage[];
    /** A purge of it has ended. */
    readonly isPurged?: boolean;
    /** Its queue is subscribed to events. */
    readonly subscription?: EventSubscription;
  };
  /** How the broker must be told to behave. */
  readonly behaviour: BehaviourOptions;
  /** Why the broker never answers so. */
  readonly onlyClient?: string;
}

interface Coded {
  readonly code: number;
  readonly message: string;
}

/** A message as a Worker pushes it; bytes are in base64, in an object, as there are none in JSON. */
export interface GivenMessage {
  readonly body: unknown;
  readonly contentType: 'json' | 'text' | 'bytes';
  readonly raw?: boolean;
}

/** The conversations of one call. */
export interface CallRecord {
  readonly method: string;
  readonly path: string;
  readonly conversations: readonly Conversation[];
}

const folder = new URL('./', import.meta.url);

/** The names of all files. */
export const recordNames: readonly string[] = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.slice(0, -'.json'.length));

export function readRecord(name: string): CallRecord {
  const record = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as CallRecord;
  const { method, path } = record;
  const defaults = { method, path, status: 200, given: {}, behaviour: {} };
  return { ...record, conversations: record.conversations.map((each) => ({ ...defaults, ...each })) };
}

/** The conversation of that name. */
export function pick(record: string, name: string): Conversation {
  const found = readRecord(record).conversations.find((each) => each.name === name);
  if (found === undefined) throw new Error(`nothing is recorded as '${name}'`);
  return found;
}

/** The `result` of the answer of that name. */
export function resultOf(record: string, name: string): unknown {
  return pick(record, name).answer.result;
}
