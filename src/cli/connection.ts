import type { Command } from 'commander';
import { systemClock } from '../contract/system-clock.ts';
import type { QueueTransport } from '../contract/transport.ts';
import { openQueue } from '../queue/open-queue.ts';
import type { Queue } from '../queue/queue.ts';
import { pushLimitOf } from '../queue/queue-options.ts';
import { failureOf } from '../transports/cloudflare/failure.ts';
import { createHttp } from '../transports/cloudflare/http.ts';
import { type CloudflareConnection, resolveConnection } from '../transports/cloudflare/options.ts';
import { createRedact } from '../transports/cloudflare/redact.ts';
import { connectCloudflareTransport } from '../transports/cloudflare/transport.ts';
import { decodeEnvelope } from '../transports/cloudflare/wire.ts';
import { isRecord } from '../transports/cloudflare/wire-value.ts';
import { InputError } from './exit-codes.ts';
import { throughProxy } from './proxied-fetch.ts';
import { RawQueue } from './raw-queue.ts';
import type { Terminal } from './terminal.ts';

/** Where the queues are; what is left out comes from the environment. */
export interface ConnectionFlags {
  readonly accountId?: string;
  readonly apiToken?: string;
  readonly baseUrl?: string;
}

/** A queue of the account. */
export interface KnownQueue {
  readonly id: string;
  readonly name: string;
  /** The names of the queues that its consumers' dead letters go to. */
  readonly deadLetterQueues: readonly string[];
}

const anyId = '0'.repeat(32);
const perPage = 100;
// A list that never ends would be a mistake of the service.
const maxPages = 1_000;

/** Adds the options that say where the queues are. */
export function addConnectionFlags(command: Command): Command {
  return command
    .option('--account-id <id>', 'the account (default: $CLOUDFLARE_ACCOUNT_ID)')
    .option('--api-token <token>', 'better given as $CLOUDFLARE_API_TOKEN: other users of the machine see options')
    .option('--base-url <url>', "the API's address (default: $CLOUDFLARE_BASE_URL, else Cloudflare's)");
}

/** The queues of an account, by name or by id. */
export class Connection {
  readonly #connection: CloudflareConnection;

  /** @throws TypeError when something is missing or wrong, also the variable that names a proxy */
  constructor(flags: ConnectionFlags, { environment }: Terminal) {
    const { accountId, apiToken, baseUrl } = flags;
    const given = {
      ...(accountId === undefined ? {} : { accountId }),
      ...(apiToken === undefined ? {} : { apiToken }),
      ...(baseUrl === undefined ? {} : { baseUrl }),
    };
    this.#connection = throughProxy(resolveConnection({ ...given, queueId: anyId }, environment), environment);
  }

  /** The queue of a name, or of an id of 32 hex characters. @throws InputError when there is none of that name */
  async find(nameOrId: string, signal: AbortSignal): Promise<KnownQueue> {
    if (/^[\da-f]{32}$/i.test(nameOrId)) return { id: nameOrId.toLowerCase(), name: nameOrId, deadLetterQueues: [] };
    const found = (await this.#list(`&name=${encodeURIComponent(nameOrId)}`, signal)).find(
      ({ name }) => name === nameOrId,
    );
    if (found === undefined) throw new InputError(`There is no queue named '${nameOrId}' in this account`);
    return found;
  }

  /** All queues of the account. */
  async list(signal: AbortSignal): Promise<readonly KnownQueue[]> {
    return this.#list('', signal);
  }

  transport({ id }: KnownQueue): QueueTransport {
    return connectCloudflareTransport({ ...this.#connection, queueId: id });
  }

  /** The queue as the library has it: it splits, repeats and keeps within the limit of pushes. */
  open(queue: KnownQueue): Queue {
    const pushLimit = pushLimitOf(undefined, this.#connection.baseUrl) ?? false;
    return openQueue({ transport: this.transport(queue), queueName: queue.name, pushLimit });
  }

  /** The queue with bodies as they were pushed. */
  raw(queue: KnownQueue): RawQueue {
    return new RawQueue(this.transport(queue));
  }

  async #list(filter: string, signal: AbortSignal): Promise<KnownQueue[]> {
    const queues = new Map<string, KnownQueue>();
    for (let page = 1; page <= maxPages; page += 1) {
      const before = queues.size;
      for (const queue of await this.#page(page, filter, signal)) queues.set(queue.id, queue);
      // Not by the length of a page: the service may not take our word for it.
      if (queues.size === before) break;
    }
    return [...queues.values()];
  }

  /** How often a queue delivers a message again; `undefined` when the service names no consumer that says so. */
  async maxRetries({ id }: KnownQueue, signal: AbortSignal): Promise<number | undefined> {
    const queue = await this.#get(`/${id}`, 'read queue', signal);
    const consumers = isRecord(queue) && Array.isArray(queue['consumers']) ? queue['consumers'].filter(isRecord) : [];
    const counts = consumers.map(({ settings }) => (isRecord(settings) ? settings['max_retries'] : undefined));
    return counts.find((count) => typeof count === 'number');
  }

  async #page(page: number, filter: string, signal: AbortSignal): Promise<readonly KnownQueue[]> {
    return readQueues(await this.#get(`?page=${page}&per_page=${perPage}${filter}`, 'list queues', signal));
  }

  async #get(path: string, action: 'list queues' | 'read queue', signal: AbortSignal): Promise<unknown> {
    const { accountId, baseUrl, authHeaders, secrets, fetch, wayHint } = this.#connection;
    const redact = createRedact(secrets);
    const headers = { accept: 'application/json', ...authHeaders };
    const send = createHttp({ fetch, clock: systemClock, redact, headers, wayHint });
    const url = `${baseUrl}/accounts/${accountId}/queues${path}`;
    const answer = await send({ action, method: 'GET', url }, { signal, timeoutMs: 30_000 });
    const envelope = decodeEnvelope(answer.text);
    if (answer.status === 200 && envelope?.success === true) return envelope.result;
    throw failureOf({ action, envelope, ...answer }, { queueId: anyId, redact, wayHint });
  }
}

function readQueues(result: unknown): readonly KnownQueue[] {
  if (!Array.isArray(result)) return [];
  return result.filter(isRecord).flatMap(({ queue_id: id, queue_name: name, consumers }) => {
    if (typeof id !== 'string' || typeof name !== 'string') return [];
    const known = Array.isArray(consumers) ? consumers.filter(isRecord) : [];
    const deadLetterQueues = known.map((consumer) => consumer['dead_letter_queue']);
    return [{ id, name, deadLetterQueues: deadLetterQueues.filter((each) => typeof each === 'string' && each !== '') }];
  }) as KnownQueue[];
}
