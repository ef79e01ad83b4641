import type { Clock, Timer } from '../../contract/clock.ts';
import { QueueError } from '../../contract/errors.ts';
import type { Engine } from '../engine.ts';

/** The limit of one handler. */
export interface HandlerLimit {
  /** The handler has had its time. */
  readonly isOver: boolean;
  /** The handler has ended. */
  end(): void;
}

/** The limits of the handlers of an engine, where there are any. */
export function limitsOf(
  { closed }: Pick<Engine, 'closed'>,
  clock: Clock,
  limitMs?: number,
): HandlerLimits | undefined {
  if (limitMs === undefined) return undefined;
  const limits = new HandlerLimits(clock, limitMs);
  void closed.then(() => limits.endAll());
  return limits;
}

/** How long each handler may take. A timer for each is dear, and made only where somebody set a limit. */
export class HandlerLimits {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #timers = new Set<Timer>();

  constructor(clock: Clock, limitMs: number) {
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  /**
   * Calls back when the handler has had its time.
   *
   * @param work - what it works on
   */
  start(onOver: (error: QueueError) => void, work: string): HandlerLimit {
    const text = `The handler of ${work} did not end within ${this.#limitMs} ms`;
    const end = (): void => {
      timer.cancel();
      this.#timers.delete(timer);
    };
    const limit = { isOver: false, end };
    const timer = this.#clock.setTimer(() => {
      limit.isOver = true;
      end();
      onOver(new QueueError(text, { code: 'timeout' }));
    }, this.#limitMs);
    this.#timers.add(timer);
    return limit;
  }

  /** Nobody waits for handlers any more. */
  endAll(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}
