/** How many wakes in a row may bring nothing before they are followed only now and then. */
const mostMisses = 3;

/** How many more when one brought something lately: messages that come at random leave gaps. */
const missesAfterHit = 5;

/**
 * Then one of them is followed in so many milliseconds, counted from the first that brought nothing: a queue that delays
 * does so by whole seconds, and what was pushed then can be pulled just when its delay is over.
 */
const trialMs = 2_000;

/** Who may be told that something was pushed. */
export interface Wakeable {
  /** 2 with a handler that has nothing to do, 1 if it could buffer a message, 0 if it can't or is pulling already. */
  readonly appetite: 0 | 1 | 2;
  /** Has it plan its pulls anew. */
  wake(): void;
}

/** What a pull asks for of what was pushed. */
export interface Asking {
  /** How many messages. */
  readonly covered: number;
  /** How many had been pushed when it was sent. */
  readonly pushed: number;
}

/** How a pull was answered. */
interface Answered {
  /** How many messages it brought. */
  readonly brought: number;
  /** With as many messages as it asked for. */
  readonly isFull: boolean;
  /** All of them were pushed only just now. */
  readonly areFresh: boolean;
  readonly sentAt: number;
  readonly now: number;
}

/**
 * Wakes the consumers of one handle for what was pushed through it, each message one of them, in turn; and learns when
 * that brings nothing, because the queue delays or others are quicker.
 *
 * A push is owed a pull until one has been sent for it by whichever consumer, so that none gets lost when the consumer
 * that was woken closes, pauses or fails.
 */
export class Wakes {
  readonly #consumers = new Set<Wakeable>();
  #pushed = 0;
  #asked = 0;
  #misses = 0;
  #firstMissAt = 0;
  #trialAt = -Infinity;

  add(consumer: Wakeable): void {
    this.#consumers.add(consumer);
  }

  /** It is not to be woken any more. */
  delete(consumer: Wakeable): void {
    this.#consumers.delete(consumer);
    this.rouse();
  }

  /** How many messages were pushed that no pull has asked for. */
  get owed(): number {
    return this.#pushed - this.#asked;
  }

  /** When to pull for them; `Infinity` when there are none. */
  get notBefore(): number {
    return this.owed > 0 ? this.#trialAt : Infinity;
  }

  /** Whether wakes are followed only now and then. */
  get isTrying(): boolean {
    return this.#misses >= mostMisses;
  }

  /** Notes messages that can be pulled now. */
  push(count: number): void {
    this.#pushed += count;
    this.rouse();
  }

  /** Wakes a consumer if messages are owed a pull. */
  rouse(): void {
    // Whoever comes pulls anyway.
    if (this.#consumers.size === 0) this.#asked = this.#pushed;
    if (this.owed === 0) return;
    const consumers = [...this.#consumers];
    const chosen = consumers.find(({ appetite }) => appetite === 2) ?? consumers.find(({ appetite }) => appetite === 1);
    if (chosen === undefined) return;
    this.#consumers.delete(chosen);
    this.#consumers.add(chosen);
    chosen.wake();
  }

  /** Notes that a pull for so many messages is sent now. What it leaves is owed another. */
  ask(count: number): Asking {
    const covered = this.isTrying ? this.owed : Math.min(count, this.owed);
    this.#asked += covered;
    return { covered, pushed: this.#pushed };
  }

  /**
   * Notes what a pull brought.
   *
   * @returns whether that was what had been pushed through this handle, and nothing else
   */
  answered({ covered, pushed }: Asking, { brought, isFull, areFresh, sentAt, now }: Answered): boolean {
    // Nothing is left of what had been pushed before, or what was not to be had is still owed.
    if (!isFull) this.#asked = Math.max(this.#asked, pushed);
    else if (brought < covered) this.#asked -= covered - brought;
    if (covered > 0 && brought === 0) this.#miss(sentAt, now);
    else if (covered > 0) {
      this.#misses = -missesAfterHit;
      this.#trialAt = -Infinity;
    }
    const surplus = brought - covered;
    if (!areFresh || surplus < 0 || surplus > this.#pushed - pushed) return false;
    // What was pushed while it was on its way may have come with it. If it was not that, polling finds it soon.
    const caught = Math.min(surplus, this.owed);
    this.#asked += caught;
    return caught === 0 && !(isFull && this.owed > 0);
  }

  #miss(sentAt: number, now: number): void {
    if (this.#misses <= 0) this.#firstMissAt = sentAt;
    this.#misses += 1;
    if (this.isTrying) this.#trialAt = now + trialMs - ((now - this.#firstMissAt) % trialMs);
  }

  /** A pull failed or is not waited for: what was pushed is owed another. */
  failed({ covered }: Asking): void {
    this.#asked -= covered;
    this.rouse();
  }
}
