import type { CallContext, QueueCallContext } from './call.ts';
import { createConsumer, deleteConsumer, getConsumer, listConsumers, replaceConsumer } from './consumer-calls.ts';
import { ack, bulkPush, peek, pull, purge, push } from './message-calls.ts';
import {
  createQueue,
  deleteQueue,
  editQueue,
  getQueue,
  listQueues,
  metrics,
  purgeAll,
  purgeStatus,
  replaceQueue,
} from './queue-calls.ts';
import {
  createSubscription,
  deleteSubscription,
  editSubscription,
  getSubscription,
  listSubscriptions,
} from './subscription-calls.ts';

/** One call of the API: what it is made with, to the `result` of the answer. */
type QueueCall = (context: QueueCallContext) => unknown;
type AccountCall = (context: CallContext) => unknown;

interface Address {
  readonly accountId: string;
  /** Whether requests count against the API's limit: all but pulls and settlements do. */
  readonly isCounted: boolean;
  /** Whether there may be no body: every field is optional, and nothing is deleted for want of one. */
  readonly isBodyOptional: boolean;
}

/** A path that leads to the account. */
export interface AccountRoute extends Address {
  readonly kind: 'account';
  /** The calls of this path by HTTP method. */
  readonly calls: ReadonlyMap<string, AccountCall>;
}

/** A path that leads to a queue. */
export interface QueueRoute extends Address {
  readonly kind: 'queue';
  readonly queueId: string;
  /** Empty when the path names none. */
  readonly consumerId: string;
  /** The calls of this path by HTTP method. */
  readonly calls: ReadonlyMap<string, QueueCall>;
}

/** Where a path leads. */
export type Route = AccountRoute | QueueRoute;

const accountCalls: ReadonlyMap<string, AccountCall> = new Map<string, AccountCall>([
  ['GET', listQueues],
  ['POST', createQueue],
]);

const queueCalls: ReadonlyMap<string, ReadonlyMap<string, QueueCall>> = new Map([
  [
    '',
    new Map<string, QueueCall>([
      ['GET', getQueue],
      ['PUT', replaceQueue],
      ['PATCH', editQueue],
      ['DELETE', deleteQueue],
    ]),
  ],
  ['/messages', new Map<string, QueueCall>([['POST', push]])],
  ['/messages/batch', new Map<string, QueueCall>([['POST', bulkPush]])],
  ['/messages/pull', new Map<string, QueueCall>([['POST', pull]])],
  ['/messages/ack', new Map<string, QueueCall>([['POST', ack]])],
  ['/messages/peek', new Map<string, QueueCall>([['POST', peek]])],
  ['/messages/purge', new Map<string, QueueCall>([['POST', purge]])],
  ['/metrics', new Map<string, QueueCall>([['GET', metrics]])],
  [
    '/purge',
    new Map<string, QueueCall>([
      ['POST', purgeAll],
      ['GET', purgeStatus],
    ]),
  ],
  [
    '/consumers',
    new Map<string, QueueCall>([
      ['GET', listConsumers],
      ['POST', createConsumer],
    ]),
  ],
]);

const consumerCalls: ReadonlyMap<string, QueueCall> = new Map<string, QueueCall>([
  ['GET', getConsumer],
  ['PUT', replaceConsumer],
  ['DELETE', deleteConsumer],
]);

const uncounted: ReadonlySet<string> = new Set(['/messages/pull', '/messages/ack']);

const withoutNeededFields: ReadonlySet<string> = new Set(['/messages/pull', '/messages/ack', '/messages/peek']);
const subscriptionsCalls: ReadonlyMap<string, AccountCall> = new Map<string, AccountCall>([
  ['GET', listSubscriptions],
  ['POST', createSubscription],
]);

function subscriptionCalls(id: string): ReadonlyMap<string, AccountCall> {
  return new Map<string, AccountCall>([
    ['GET', (context) => getSubscription(context, id)],
    ['PATCH', (context) => editSubscription(context, id)],
    ['DELETE', (context) => deleteSubscription(context, id)],
  ]);
}

/** Where every path of the API starts. */
export const basePath = '/client/v4';

const path = /^\/client\/v4\/accounts\/([^/]+)\/queues(?:\/([^/]+)(\/.*)?)?$/;

const subscriptionPath = /^\/client\/v4\/accounts\/([^/]+)\/event_subscriptions\/subscriptions(?:\/([^/]+))?$/;

/** Finds the route of a path; `undefined` when there is none. */
export function findRoute(pathname: string): Route | undefined {
  return findQueueRoute(pathname) ?? findSubscriptionRoute(pathname);
}

function findSubscriptionRoute(pathname: string): AccountRoute | undefined {
  const [, accountId, id] = subscriptionPath.exec(pathname) ?? [];
  if (accountId === undefined) return undefined;
  const calls = id === undefined ? subscriptionsCalls : subscriptionCalls(id);
  return { kind: 'account', accountId, isCounted: true, isBodyOptional: false, calls };
}

function findQueueRoute(pathname: string): Route | undefined {
  const [, accountId, queueId, rest = ''] = path.exec(pathname) ?? [];
  if (accountId === undefined) return undefined;
  if (queueId === undefined) {
    return { kind: 'account', accountId, isCounted: true, isBodyOptional: false, calls: accountCalls };
  }
  const [, consumerId] = /^\/consumers\/([^/]+)$/.exec(rest) ?? [];
  const calls = consumerId === undefined ? queueCalls.get(rest) : consumerCalls;
  if (calls === undefined) return undefined;
  const isCounted = !uncounted.has(rest);
  const isBodyOptional = withoutNeededFields.has(rest);
  return { kind: 'queue', accountId, queueId, consumerId: consumerId ?? '', isCounted, isBodyOptional, calls };
}

const allMethods: ReadonlySet<string> = new Set(
  [accountCalls, consumerCalls, ...queueCalls.values()].flatMap((calls) => [...calls.keys()]),
);

/** The methods that a path has; where nothing is known to be, those that any has. */
export function methodsAt(pathname: string | undefined): Iterable<string> {
  return (pathname === undefined ? undefined : findRoute(pathname)?.calls.keys()) ?? allMethods;
}
