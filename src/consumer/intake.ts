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
  /** Called after a schema that took its time has answered, and its messages were accepted or rejected. */
  readonly onJudged: () => void;
  /** Takes a message that can't, and what is to become of it. */
  readonly reject: (lease: Lease, action: InvalidAction, error: unknown) => void;
}

/** What has arrived and is in nobody's hands. */
interface Undecided {
  readonly messages: readonly PulledMessage[];
  readonly answer: PullAnswer;
}

/** Stands between the answers and the holdings: sorts out what can't be handed out. */
export class Intake {
  readonly #deps: IntakeDeps;
  /** Messages whose schema has not answered yet. */
  readonly #unjudged = new Set<Undecided>();
  /** Invalid ones of which `onInvalid` has not said yet what is to become of them. */
  readonly #rejected = new Set<Lease>();
  /** The length of the bodies of those whose schema has not answered. */
  heldLength = 0;
  #unjudgedCount = 0;

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
  }

  /** How many messages have arrived and are in nobody's hands. */
  get held(): number {
    return this.#unjudgedCount + this.#rejected.size;
  }

  take(answer: PullAnswer): void {
    const { messages } = answer;
    if (this.#deps.schema === undefined && messages.every(isDecoded)) {
      this.#deps.accept(messages, answer);
      return;
    }
    const validated = validate(messages, this.#deps.schema);
    if (validated instanceof Promise) {
      const undecided = { messages, answer };
      this.#unjudged.add(undecided);
      this.#count(undecided, 1);
      void validated.then((judged) => {
        if (!this.#unjudged.delete(undecided)) return;
        this.#count(undecided, -1);
        this.#sort(judged, answer);
        this.#deps.onJudged();
      });
    } else {
      this.#sort(validated, answer);
    }
  }

  #count({ messages }: Undecided, sign: 1 | -1): void {
    this.#unjudgedCount += sign * messages.length;
    this.heldLength += sign * messages.reduce((sum, { bodyLength }) => sum + bodyLength, 0);
  }

  /** Waits for no schema and no `onInvalid` any longer: an ending consumer gives back what they have not answered for. */
  giveUp(): void {
    const unjudged = [...this.#unjudged];
    const rejected = [...this.#rejected];
    this.#unjudged.clear();
    this.#rejected.clear();
    for (const undecided of unjudged) {
      this.#count(undecided, -1);
      this.#deps.accept(undecided.messages, undecided.answer);
    }
    for (const lease of rejected) this.#deps.reject(lease, 'retry', undefined);
  }

  #sort(judged: readonly Validated[], answer: PullAnswer): void {
    const valid: HeldMessage[] = [];
    let batch: LeaseBatch | undefined;
    for (const { message, error } of judged) {
      if (error === undefined) valid.push(message);
      else {
        batch ??= new LeaseBatch(answer.sentAt, answer.visibilityTimeoutMs);
        void this.#judgeInvalid(message, new Lease(message, batch), error);
      }
    }
    this.#deps.accept(valid, answer);
  }

  async #judgeInvalid(message: PulledMessage, lease: Lease, error: unknown): Promise<void> {
    const { options, stats, report, reject } = this.#deps;
    const invalid = view(message);
    stats.invalid += 1;
    report({ type: 'invalid', message: invalid, error });
    let action: InvalidAction = 'retry';
    this.#rejected.add(lease);
    try {
      action = typeof options.onInvalid === 'function' ? await options.onInvalid(invalid, error) : options.onInvalid;
    } catch (failure) {
      stats.lastError = failure;
    }
    if (this.#rejected.delete(lease)) reject(lease, action, error);
  }
}

function isDecoded({ bodyError }: PulledMessage): boolean {
  return bodyError === undefined;
}

function view({ id, attempts, timestampMs, contentType, metadata, body }: PulledMessage): InvalidMessage {
  return { id, attempts, timestamp: new Date(timestampMs), contentType, metadata, body };
}
