import { attempt } from './callback.ts';
import type { Clock } from './clock.ts';
import type { ObservedQueue, Observer, Operation, Processing, Sending } from './observer.ts';

type Name = 'send' | 'receive' | 'process' | 'settle';
type Begin<Of extends Name> = NonNullable<Observer[Of]>;
type Start<Of extends Name> = Parameters<Begin<Of>>[0];
type End<Of extends Name> = Parameters<NonNullable<ReturnType<Begin<Of>>>['end']>[0];

/** The observers of one handle: what they throw harms nobody. */
export class Observers {
  readonly #observers: readonly Observer[];
  readonly queue: ObservedQueue;
  readonly #clock: Clock;

  constructor(observers: readonly Observer[], queue: ObservedQueue, clock: Clock) {
    this.#observers = observers;
    this.queue = queue;
    this.#clock = clock;
  }

  tell(call: (observer: Observer) => unknown): void {
    for (const observer of this.#observers) attempt(() => call(observer));
  }

  /**
   * Tells that an operation begins; `undefined` where nobody wants to be told of its end.
   *
   * @param facts - what is known of it, to which the rest is added
   */
  begin<Of extends Name>(name: Of, facts: Omit<Start<Of>, 'queue' | 'at'>): Ongoing<End<Of>> | undefined {
    // Not a copy, which would cost as much as all else.
    const start = facts as { queue?: ObservedQueue; at?: number };
    start.queue = this.queue;
    start.at = this.queue.now();
    const operations: Operation<object>[] = [];
    for (const observer of this.#observers) {
      const operation = attempt(() =>
        (observer[name] as ((begun: object) => unknown) | undefined)?.call(observer, start),
      );
      if (typeof operation === 'object' && operation !== null) operations.push(operation as Operation<object>);
    }
    return operations.length === 0 ? undefined : new Ongoing(operations, this.#clock);
  }
}

/** An operation under way, for all who are told of it. */
export class Ongoing<Ended> {
  readonly #operations: readonly (Operation<object> & Partial<Processing> & Partial<Sending>)[];
  readonly #clock: Clock;
  readonly #startedAt: number;

  constructor(operations: readonly Operation<object>[], clock: Clock) {
    this.#operations = operations;
    this.#clock = clock;
    this.#startedAt = clock.monotonic();
  }

  /** Does work in the context of all of them: once, whatever they do. */
  run<Result>(work: () => Result): Result {
    let done: { readonly value: Result } | { readonly error: unknown } | undefined;
    let run = (): void => {
      try {
        done ??= { value: work() };
      } catch (error) {
        done = { error };
      }
    };
    for (const operation of this.#operations) {
      if (operation.run === undefined) continue;
      const inner = run;
      run = () => {
        if (done !== undefined) return;
        attempt(() => operation.run?.(inner));
        if (done === undefined) inner();
      };
    }
    run();
    if (done === undefined) throw new Error('unreachable');
    if ('error' in done) throw done.error;
    return done.value;
  }

  /** @throws what an observer throws: it can't be sent without what that adds */
  inject(body: unknown): unknown {
    return this.#operations.reduce(
      (injected, operation) => (operation.inject === undefined ? injected : operation.inject(injected)),
      body,
    );
  }

  /** @param facts - what is known of the end, to which the rest is added */
  end(facts: Omit<Ended, 'durationMs'>): void {
    const how = facts as { durationMs?: number };
    how.durationMs = this.#clock.monotonic() - this.#startedAt;
    for (const operation of this.#operations) attempt(() => operation.end(how));
  }
}
