import type { Attributes } from '@opentelemetry/api';

import type { ObservedQueue } from '../contract/observer.ts';
import { attribute, own } from './opentelemetry-names.ts';

type OperationName = 'create' | 'send' | 'receive' | 'process' | 'settle';

/** What is said of every operation of one queue. */
export interface OperationAttributes {
  /** Of its spans. */
  readonly spanName: string;
  readonly common: Attributes;
}

/** The attributes of queues, each made once. */
export class ObservedAttributes {
  readonly #known = new WeakMap<ObservedQueue, Partial<Record<OperationName, OperationAttributes>>>();

  of(queue: ObservedQueue, operation: OperationName): OperationAttributes {
    let known = this.#known.get(queue);
    if (known === undefined) {
      known = {};
      this.#known.set(queue, known);
    }
    known[operation] ??= {
      spanName: `${operation} ${queue.name}`,
      common: {
        ...queueAttributes(queue),
        [attribute.operationName]: operation,
        [attribute.operationType]: operation,
      },
    };
    return known[operation];
  }
}

/** What is said of a queue. */
export function queueAttributes({ name, origin }: Pick<ObservedQueue, 'name' | 'origin'>): Attributes {
  return { [attribute.system]: own.system, [attribute.destination]: name, ...serverOf(origin) };
}

function serverOf(origin: string | undefined): Attributes {
  if (origin === undefined) return {};
  const { hostname, port, protocol } = new URL(origin);
  const usual = protocol === 'http:' ? 80 : 443;
  return { [attribute.serverAddress]: hostname, [attribute.serverPort]: port === '' ? usual : Number(port) };
}
