import type { Behaviour } from './behaviour.ts';
import { authorize, type Credentials } from './credentials.ts';
import type { QueueRegistry } from './queue-registry.ts';
import { Refusal, refusals } from './refusal.ts';
import { readJsonObject } from './request-body.ts';
import { findRoute } from './routes.ts';
import { answerRefusal, answerResult } from './wire-answers.ts';

/** What the handler answers for. */
export interface HandlerContext {
  readonly accountId: string;
  readonly credentials: Credentials;
  readonly queues: QueueRegistry;
  readonly behaviour: Behaviour;
}

/**
 * Makes the HTTP side of the broker: a function that answers a request as the service would, with the service's paths,
 * envelope, codes and statuses. It never rejects.
 */
export function createHandler(context: HandlerContext): (request: Request) => Promise<Response> {
  return async (request) => {
    try {
      return answerResult(await carryOut(request, context));
    } catch (error) {
      return answerRefusal(error instanceof Refusal ? error : refusals.internal(String(error)));
    }
  };
}

async function carryOut(request: Request, context: HandlerContext): Promise<unknown> {
  const { pathname } = new URL(request.url);
  authorize(request.headers, context.credentials);
  const route = findRoute(pathname);
  if (route === undefined) throw refusals.noRoute();
  if (route.accountId !== context.accountId) throw refusals.noAccount(pathname);
  if (!/^[\da-f]{32}$/i.test(route.queueId)) throw refusals.malformedQueueId();
  const queue = context.queues.byId(route.queueId.toLowerCase());
  if (queue === undefined) throw refusals.noQueue();
  const call = route.calls.get(request.method);
  if (call === undefined) throw refusals.methodNotAllowed(request.method);
  const body = request.method === 'GET' ? {} : await readJsonObject(request);
  return call(queue, body, context.behaviour);
}
