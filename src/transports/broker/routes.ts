import type { Behaviour } from './behaviour.ts';
import { ack, bulkPush, peek, pull, purge, push } from './message-calls.ts';
import type { MessageQueue } from './queue.ts';
import { metrics, purgeAll, purgeStatus } from './queue-calls.ts';
import type { JsonObject } from './request-body.ts';

/** One call of the API: the queue and the request's JSON (`{}` for a GET) to the `result` of the answer. */
export type Call = (queue: MessageQueue, request: JsonObject, behaviour: Behaviour) => unknown;

/** Where a path leads. */
export interface Route {
  readonly accountId: string;
  readonly queueId: string;
  /** The calls of this path by HTTP method. */
  readonly calls: ReadonlyMap<string, Call>;
}

const calls: ReadonlyMap<string, ReadonlyMap<string, Call>> = new Map([
  ['/messages', new Map<string, Call>([['POST', push]])],
  ['/messages/batch', new Map<string, Call>([['POST', bulkPush]])],
  ['/messages/pull', new Map<string, Call>([['POST', pull]])],
  ['/messages/ack', new Map<string, Call>([['POST', ack]])],
  ['/messages/peek', new Map<string, Call>([['POST', peek]])],
  ['/messages/purge', new Map<string, Call>([['POST', purge]])],
  ['/metrics', new Map<string, Call>([['GET', metrics]])],
  [
    '/purge',
    new Map<string, Call>([
      ['POST', purgeAll],
      ['GET', purgeStatus],
    ]),
  ],
]);

/** Where every path of the API starts. */
export const basePath = '/client/v4';

const queuePath = /^\/client\/v4\/accounts\/([^/]+)\/queues\/([^/]+)(\/.*)$/;

/** Finds the route of a path; `undefined` when there is none. */
export function findRoute(path: string): Route | undefined {
  const [, accountId, queueId, rest] = queuePath.exec(path) ?? [];
  const found = rest === undefined ? undefined : calls.get(rest);
  if (found === undefined || accountId === undefined || queueId === undefined) return undefined;
  return { accountId, queueId, calls: found };
}
