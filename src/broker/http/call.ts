import type { Behaviour } from '../behaviour.ts';
import type { MessageQueue } from '../queue/queue.ts';
import type { QueueRegistry } from '../queue/queue-registry.ts';
import type { JsonRequest } from './request-body.ts';

/** What a call of the API is made with: the request's JSON, too, which is `{}` where the method has none. */
export interface CallContext extends JsonRequest {
  readonly queues: QueueRegistry;
  readonly behaviour: Behaviour;
  /** The query of the address. */
  readonly query: URLSearchParams;
}

/** What a call on one queue is made with. */
export interface QueueCallContext extends CallContext {
  readonly queue: MessageQueue;
  /** The consumer that the address names; empty when it names none. */
  readonly consumerId: string;
}

/** A result with a notice of the API beside it. */
export class Noticed {
  readonly result: unknown;
  readonly notice: string;

  constructor(result: unknown, notice: string) {
    this.result = result;
    this.notice = notice;
  }
}

/** One page of a list, which the answer says more about than its elements. */
export class Page {
  readonly items: readonly unknown[];
  readonly info: Readonly<Record<string, number>>;

  /** @param page - counted from 1 */
  constructor(all: readonly unknown[], page: number, perPage: number) {
    this.items = all.slice((page - 1) * perPage, page * perPage);
    const { length: total } = all;
    const pages = Math.ceil(total / perPage);
    this.info = { count: this.items.length, page, per_page: perPage, total_count: total, total_pages: pages };
  }
}
