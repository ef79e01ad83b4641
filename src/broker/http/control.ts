import type { QueueRegistry } from '../queue/queue-registry.ts';
import type { SubscribedEvent } from '../events/emit-event.ts';
import type { FaultOptions } from '../faults/fault-options.ts';
import type { FaultInjector } from '../faults/faults.ts';
import { viewQueue } from '../queue/queue-view.ts';
import type { ApiRequest } from './api-exchange.ts';
import { refusals } from './refusal.ts';
import { readJsonRequest } from './request-body.ts';

/** What the calls beside the service's API are about. */
export interface ControlContext {
  readonly accountId: string;
  readonly faults: FaultInjector;
  readonly queues: QueueRegistry;
  readonly now: () => number;
}

type ControlCall = (request: ApiRequest, context: ControlContext) => unknown;

const controls: ReadonlyMap<string, ControlCall> = new Map<string, ControlCall>([
  ['/leasestream/faults', controlFaults],
  ['/leasestream/queues', viewQueues],
  ['/leasestream/counts', countQueues],
  ['/leasestream/events', emit],
]);

/** What the broker can be asked and told that the service can't; `undefined` for any other path. */
export function findControl(pathname: string): ControlCall | undefined {
  return controls.get(pathname);
}

/**
 * `GET`, `PUT` and `DELETE /leasestream/faults`: what shall go wrong, as {@link FaultOptions} in JSON. `PUT` replaces all
 * of it, `DELETE` ends it.
 *
 * @returns the faults in force afterwards
 */
async function controlFaults(request: ApiRequest, { faults }: ControlContext): Promise<FaultOptions> {
  switch (request.method) {
    case 'GET':
      break;
    case 'PUT':
      setFaults(faults, (await readJsonRequest(request)).body);
      break;
    case 'DELETE':
      faults.set({});
      break;
    default:
      throw refusals.methodNotAllowed(request.method, ['DELETE', 'GET', 'PUT']);
  }
  return faults.options;
}

function setFaults(faults: FaultInjector, options: FaultOptions): void {
  try {
    faults.set(options);
  } catch (error) {
    throw refusals.invalid(error instanceof Error ? error.message : String(error));
  }
}

/**
 * `POST /leasestream/events`, with `{subscription_id, event, payload?, source?, at?}`: lets an event of a subscription happen.
 *
 * @returns the id of the message, `null` when the subscription is not enabled
 */
async function emit(request: ApiRequest, { queues, accountId }: ControlContext): Promise<unknown> {
  if (request.method !== 'POST') throw refusals.methodNotAllowed(request.method, ['POST']);
  const { subscription_id, ...event } = (await readJsonRequest(request)).body;
  try {
    const messageId = queues.emit(String(subscription_id), event as unknown as SubscribedEvent, accountId);
    return { message_id: messageId ?? null };
  } catch (error) {
    throw refusals.invalid(error instanceof Error ? error.message : String(error));
  }
}

const mostMessages = 1_000;

/** `GET /leasestream/queues?messages=50`: every queue as it stands, with its oldest messages, leased ones included. */
function viewQueues(request: ApiRequest, { accountId, queues, now }: ControlContext): unknown {
  if (request.method !== 'GET') throw refusals.methodNotAllowed(request.method, ['GET']);
  const text = new URL(request.url).searchParams.get('messages') ?? '50';
  const count = /^\d{1,6}$/.test(text) ? Number(text) : -1;
  if (count < 0 || count > mostMessages) throw refusals.invalid(`messages must be an integer in 0..${mostMessages}`);
  return { accountId, now: now(), queues: queues.all().map((queue) => viewQueue(queue, { now: now(), count })) };
}

/** `GET /leasestream/counts`: every queue in numbers. It costs no walk over messages. */
function countQueues(request: ApiRequest, { queues, now }: ControlContext): unknown {
  if (request.method !== 'GET') throw refusals.methodNotAllowed(request.method, ['GET']);
  return { now: now(), queues: queues.all().map((queue) => ({ id: queue.id, name: queue.name, ...queue.count() })) };
}
