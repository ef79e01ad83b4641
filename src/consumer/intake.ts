import type { PulledMessage } from '../contract/message.ts';
import type { Schema } from '../contract/schema.ts';
import { type HeldMessage, Lease, LeaseBatch } from '../lease/lease.ts';
import type { InvalidAction, ResolvedConsumeOptions } from './consume-options.ts';
import type { ConsumerEvent, InvalidMessage } from './events.ts';
import type { PullAnswer } from './puller.ts';
import type { StatsCounter } from './stats.ts';
import { validate, type Validated } from './validate.ts';

export interface IntakeDeps {
  readonly schema: Schema | undefined;
  readonly options: ResolvedConsumeOptions;
  readonly stats: StatsCounter;
  readonly report: (event: ConsumerEvent) => void;
  /** Takes the messages of an answer that can be handed out. */
  readonly accept: (messages: readonly HeldMessage[], answer: PullAnswer) => void;
  /** Takes a message that can't, and what is to become of it. */
  readonly reject: (lease: Lease, action: InvalidAction, error: unknown) => void;
}

/** Stands between the answers and the holdings: sorts out what can't be handed out. */
export class Intake {
  readonly #deps: IntakeDeps;
  /** Messages that have arrived and are in nobody's hands: their schema, or `onInvalid`, has not answered yet. */
  held = 0;
  /** The length of the bodies of those whose schema has not answered. */
  heldLength = 0;

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
  }

  take(answer: PullAnswer): void {
    if (this.#deps.schema === undefined && answer.messages.every(isDecoded)) {
      this.#deps.accept(answer.messages, answer);
      return;
    }
    const validated = validate(answer.messages, this.#deps.schema);
    if (validated instanceof Promise) {
      const length = answer.messages.reduce((sum, { bodyLength }) => sum + bodyLength, 0);
      this.held += answer.messages.length;
      this.heldLength += length;
      void validated.then((judged) => {
        this.held -= answer.messages.length;
        this.heldLength -= length;
        this.#sort(judged, answer);
      });
    } else {
      this.#sort(validated, answer);
    }
  }

  #sort(judged: readonly Validated[], answer: PullAnswer): void {
    const valid: HeldMessage[] = [];
    let batch: LeaseBatch | undefined;
    for (const { message, error } of judged) {
      if (error === undefined) valid.push(message);
      else {
        batch ??= new LeaseBatch(answer.sentAt, answer.visibilityTimeoutMs);
        void this.#judgeInvalid(new Lease(message, batch), error);
      }
    }
    this.#deps.accept(valid, answer);
  }

  async #judgeInvalid(lease: Lease, error: unknown): Promise<void> {
    const { options, stats, report, reject } = this.#deps;
    const invalid = view(lease.message);
    stats.invalid += 1;
    report({ type: 'invalid', message: invalid, error });
    let action: InvalidAction = 'retry';
    this.held += 1;
    try {
      action = typeof options.onInvalid === 'function' ? await options.onInvalid(invalid, error) : options.onInvalid;
    } catch (failure) {
      stats.lastError = failure;
    }
    this.held -= 1;
    reject(lease, action, error);
  }
}

function isDecoded({ bodyError }: PulledMessage): boolean {
  return bodyError === undefined;
}

function view({ id, attempts, timestampMs, contentType, metadata, body }: PulledMessage): InvalidMessage {
  return { id, attempts, timestamp: new Date(timestampMs), contentType, metadata, body };
}
