import type { Clock } from '../../contract/clock.ts';
import { copyWith } from '../../contract/copy-with.ts';
import type { Behaviour } from '../behaviour.ts';
import type { ApiHandler, ApiRequest } from './api-exchange.ts';
import type { CallContext } from './call.ts';
import { findControl } from './control.ts';
import { authorize, type Credentials } from './credentials.ts';
import type { FaultInjector } from '../faults/faults.ts';
import { refusalFor } from './mistake.ts';
import type { MessageQueue } from '../queue/queue.ts';
import type { QueueRegistry } from '../queue/queue-registry.ts';
import { refusals } from './refusal.ts';
import { readJsonRequest } from './request-body.ts';
import { WindowCounter } from './request-limit.ts';
import { findRoute, type Route } from './routes.ts';
import { answerRefusal, answerResult } from './wire-answers.ts';

/** What the handler answers for. */
export interface HandlerContext {
  readonly accountId: string;
  readonly credentials: Credentials;
  readonly queues: QueueRegistry;
  readonly behaviour: Behaviour;
  readonly clock: Clock;
  readonly faults: FaultInjector;
}

/**
 * Makes the HTTP side of the broker: a function that answers a request as the service would, with the service's paths,
 * envelope, codes and statuses. It never rejects.
 */
export function createHandler(context: HandlerContext): ApiHandler {
  const { requestLimit } = context.behaviour;
  const counter = requestLimit && new WindowCounter(requestLimit);
  return async (request) => {
    try {
      return answerResult(await carryOut(request, context, counter));
    } catch (error) {
      return answerRefusal(refusalFor(error));
    }
  };
}

async function carryOut(
  request: ApiRequest,
  context: HandlerContext,
  counter: WindowCounter | undefined,
): Promise<unknown> {
  const { pathname, searchParams: query } = new URL(request.url);
  authorize(request.headers, context.credentials);
  const control = findControl(pathname);
  if (control !== undefined) return control(request, { ...context, now: () => context.clock.now() });
  const route = findRoute(pathname);
  if (route === undefined) throw refusals.noRoute();
  if (route.accountId !== context.accountId) throw refusals.noAccount(pathname);
  const waitMs = route.isCounted ? counter?.take(context.clock.now()) : undefined;
  if (waitMs !== undefined) throw refusals.rateLimited(Math.ceil(waitMs / 1000));
  const queue = findQueue(route, context.queues);
  const hasCall = route.calls.has(request.method);
  if (!hasCall) throw refusals.methodNotAllowed(request.method, route.calls.keys());
  const hasBody = request.method !== 'GET' && request.method !== 'DELETE';
  const mayBeEmpty = route.isBodyOptional && context.behaviour.emptyBodies === 'accept';
  const read = hasBody ? await readJsonRequest(request, mayBeEmpty) : { body: {}, text: '' };
  const callContext: CallContext = { queues: context.queues, behaviour: context.behaviour, query, ...read };
  if (route.kind === 'account') return route.calls.get(request.method)?.(callContext);
  // Looked up once more: reading the body took time, in which the queue may have been deleted.
  const current = queue && context.queues.byId(queue.id);
  if (current === undefined) throw refusals.noQueue();
  return route.calls.get(request.method)?.(copyWith(callContext, { queue: current, consumerId: route.consumerId }));
}

function findQueue(route: Route, queues: QueueRegistry): MessageQueue | undefined {
  if (route.kind === 'account') return undefined;
  if (!/^[\da-f]{32}$/i.test(route.queueId)) throw refusals.malformedQueueId();
  const queue = queues.byId(route.queueId.toLowerCase());
  if (queue === undefined) throw refusals.noQueue();
  return queue;
}
