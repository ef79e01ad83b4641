import { setTimeout as sleep } from 'node:timers/promises';
import Cloudflare from 'cloudflare';
import { lastValueFrom } from 'rxjs';
import { openQueue } from '../src/index.ts';
import { settleMap, toObservable } from '../src/rxjs.ts';
import type { Assignment } from './scenario.ts';

/** Works on messages until its signal aborts. */
export type Contender = (work: Work) => Promise<void>;

/** What a contender is given. */
export interface Work extends Assignment {
  /** Stands for the user's handler: counts, and takes its time. Whoever pushes calls it for each confirmed message. */
  readonly handle: (body: unknown) => Promise<void> | void;
  readonly signal: AbortSignal;
  readonly fetch: typeof fetch;
}

const leaseMs = 30_000;

/** How many handlers run at once where a contender can do that. */
const concurrency = 200;

interface WireMessage {
  readonly lease_id: string;
  readonly body: string;
}

/** Makes a call of the HTTP API, and gives the `result` of its answer. */
export type Post = <Result>(work: Work, path: string, body: unknown) => Promise<Result>;

/** The address of a call, and what is sent with it. */
export function callOf({ connection }: Work, path: string): { url: string; headers: Readonly<Record<string, string>> } {
  const { baseUrl, accountId, queueId, apiToken } = connection;
  return {
    url: `${baseUrl}/accounts/${accountId}/queues/${queueId}/messages/${path}`,
    headers: { authorization: `Bearer ${apiToken}`, 'content-type': 'application/json' },
  };
}

/** With nothing but `fetch`. */
export const post: Post = async <Result>(work: Work, path: string, body: unknown): Promise<Result> => {
  const { url, headers } = callOf(work, path);
  const response = await work.fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  const { result } = (await response.json()) as { result: Result };
  return result;
};

async function pullRaw(work: Work, call: Post = post): Promise<readonly WireMessage[]> {
  const request = { batch_size: 100, visibility_timeout_ms: leaseMs };
  return (await call<{ messages: readonly WireMessage[] }>(work, 'pull', request)).messages;
}

function ackRaw(work: Work, leaseIds: readonly string[], call: Post = post): Promise<unknown> {
  return call(work, 'ack', { acks: leaseIds.map((lease_id) => ({ lease_id })), retries: [] });
}

/**
 * What a hand-tuned loop without any safety does. Four pulls under way, a window of 400 messages, settlements gathered by
 * 100; no deadline is looked at, no failure seen to, no message given back.
 */
export const pipelined =
  (call: Post): Contender =>
  async (work) => {
    const { handle, signal } = work;
    let held = 0;
    let pulls = 0;
    let done: string[] = [];
    const acks = new Set<Promise<unknown>>();
    let wake: () => void = () => undefined;
    const ack = (): void => {
      const acking = ackRaw(work, done, call).finally(() => acks.delete(acking));
      acks.add(acking);
      done = [];
    };
    const finish = (leaseId: string): void => {
      held -= 1;
      done.push(leaseId);
      if (done.length === 100) ack();
      wake();
    };
    const start = ({ lease_id, body }: WireMessage): void => {
      const running = handle(JSON.parse(body));
      if (running === undefined) finish(lease_id);
      else void running.then(() => finish(lease_id));
    };
    const pull = async (): Promise<void> => {
      pulls += 1;
      held += 100;
      const messages = await pullRaw(work, call);
      held -= 100 - messages.length;
      pulls -= 1;
      for (const message of messages) start(message);
      wake();
    };
    while (!signal.aborted) {
      while (pulls < 4 && held + 100 <= 400) void pull();
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    if (done.length > 0) ack();
    await Promise.all(acks);
  };

const serialFetch: Contender = async (work) => {
  while (!work.signal.aborted) {
    const messages = await pullRaw(work);
    for (const { body } of messages) await work.handle(JSON.parse(body));
    if (messages.length > 0)
      await ackRaw(
        work,
        messages.map(({ lease_id }) => lease_id),
      );
  }
};

/** The official client, one call after another. */
export const serialOfficial: Contender = async ({ connection, handle, signal, fetch }) => {
  const { accountId: account_id, queueId, apiToken, baseUrl: baseURL } = connection;
  const client = new Cloudflare({ apiToken, baseURL, fetch });
  while (!signal.aborted) {
    const options = { account_id, batch_size: 100, visibility_timeout_ms: leaseMs };
    const pulled = await client.queues.messages.pull(queueId, options);
    const messages = pulled?.messages ?? [];
    for (const { body } of messages) await handle(JSON.parse(body ?? 'null'));
    const acks = messages.flatMap(({ lease_id }) => (lease_id === undefined ? [] : [{ lease_id }]));
    if (acks.length > 0) await client.queues.messages.ack(queueId, { account_id, acks });
  }
};

const forAwait: Contender = async ({ connection, fetch, handle, signal }) => {
  const queue = openQueue({ ...connection, fetch });
  for await (const message of queue.consume({ signal })) await handle(message.body);
};

const handlers: Contender = async ({ connection, fetch, handle, signal }) => {
  const queue = openQueue({ ...connection, fetch });
  await queue.process((message) => handle(message.body), { concurrency, signal });
};

const observable: Contender = async ({ connection, fetch, handle, signal }) => {
  const queue = openQueue({ ...connection, fetch });
  const handled = toObservable(queue, { signal }).pipe(settleMap(async ({ body }) => handle(body), { concurrency }));
  await lastValueFrom(handled, { defaultValue: undefined });
};

/** In the order in which they are shown. */
export const contenders: Readonly<Record<string, Contender>> = {
  'leasestream process': handlers,
  'leasestream for await': forAwait,
  'leasestream observable': observable,
  'pipelined fetch (floor)': pipelined(post),
  'serial fetch': serialFetch,
  'serial cloudflare': serialOfficial,
};

/** A handler that counts, and takes so long. */
export function handlerOf(handlerMs: number, onHandled: () => void): Work['handle'] {
  if (handlerMs === 0) return onHandled;
  return async () => {
    await sleep(handlerMs);
    onHandled();
  };
}
