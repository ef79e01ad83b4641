import type { ChildProcess } from 'node:child_process';
import { ask, start } from '../processes.ts';

/** How the service of a scenario behaves. */
export interface ServiceSettings {
  /** How many times as fast its clock is. @defaultValue 1 */
  readonly speed?: number;
  /** The share of requests that are never answered. @defaultValue 0 */
  readonly swallowed?: number;
}

/** What a scenario asks of its service. */
export type ServiceRequest = { readonly name: string } & (
  | { readonly type: 'open'; readonly messages: number; readonly maxRetries: number }
  | { readonly type: 'trickle'; readonly messages: number; readonly meanMs: number }
  | { readonly type: 'tally' }
);

/** Where a queue is found. */
export interface Connection {
  readonly accountId: string;
  readonly queueId: string;
  readonly apiToken: string;
  readonly baseUrl: string;
}

/** What became of a queue's messages so far. */
export interface QueueTally {
  /** Of all queues. */
  readonly requests: number;
  readonly delivered: number;
  readonly acked: number;
  /** The bodies of those in the dead letter queue. */
  readonly deadLettered: readonly unknown[];
  readonly ready: number;
  readonly delayed: number;
  readonly leased: number;
}

/** The service of a scenario. */
export class Service {
  readonly #child: ChildProcess;

  constructor(settings: ServiceSettings = {}) {
    this.#child = start('field/service-process', [], [JSON.stringify(settings)]);
  }

  /** Opens a queue with messages whose bodies are 0, 1, 2 and so on, and a dead letter queue. */
  open(name: string, messages = 0, maxRetries = 3): Promise<Connection> {
    return this.#ask({ type: 'open', name, messages, maxRetries });
  }

  /** Has messages pushed at uneven times from now on, whose bodies are the time. */
  trickle(name: string, messages: number, meanMs: number): Promise<unknown> {
    return this.#ask({ type: 'trickle', name, messages, meanMs });
  }

  tally(name: string): Promise<QueueTally> {
    return this.#ask({ type: 'tally', name });
  }

  #ask<Answer>(request: ServiceRequest): Promise<Answer> {
    return ask(this.#child, request);
  }

  [Symbol.dispose](): void {
    this.#child.kill();
  }
}
