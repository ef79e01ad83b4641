import { copyWith } from '../contract/copy-with.ts';
import type { ProcessEnd } from '../contract/observer.ts';
import type { Ongoing } from '../contract/observers.ts';

/** A message, as the work on it ends. */
interface WorkedOn {
  readonly settledAs: 'ack' | 'retry' | undefined;
  readonly isAbandoned: boolean;
  /** The work on it, while there is some that anybody observes. */
  observed: ObservedWork | undefined;
}

/** The work on messages that were handed out together, as observers are told of it. */
export class ObservedWork {
  readonly #ongoing: Ongoing<ProcessEnd>;
  #left: number;
  #acks = 0;
  #retries = 0;
  #abandoned = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(ongoing: Ongoing<ProcessEnd>, messages: number) {
    this.#ongoing = ongoing;
    this.#left = messages;
  }

  run<Result>(work: () => Result): Result {
    return this.#left === 0 ? work() : this.#ongoing.run(work);
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /** The work on one of them has ended. */
  end({ settledAs, isAbandoned }: WorkedOn): void {
    if (isAbandoned) this.#abandoned += 1;
    else if (settledAs === 'ack') this.#acks += 1;
    else if (settledAs === 'retry') this.#retries += 1;
    this.#left -= 1;
    if (this.#left > 0) return;
    const counts = { acks: this.#acks, retries: this.#retries, abandoned: this.#abandoned };
    this.#ongoing.end(this.#failure === undefined ? counts : copyWith(counts, this.#failure));
  }
}

/** Tells observers, once, that the work on a message has ended. */
export function endWork(message: WorkedOn): void {
  const { observed } = message;
  if (observed === undefined) return;
  message.observed = undefined;
  observed.end(message);
}
