/**
 * Runs work in the async context that it was made in, whoever asks for that: as an `AsyncLocalStorage`, a tracer or a logger
 * sees it. In a microtask of its own.
 *
 * Runtimes have no other way in common to keep a context than a promise, whose reactions run in that of `then()`.
 */
export class HomeContext {
  #works: (() => void)[] = [];
  #go: () => void = () => undefined;

  constructor() {
    this.#wait();
  }

  run(work: () => void): void {
    this.#works.push(work);
    this.#go();
  }

  #wait(): void {
    void new Promise<void>(this.#onWait).then(this.#onGo);
  }

  readonly #onWait = (resolve: () => void): void => {
    this.#go = resolve;
  };

  readonly #onGo = (): void => {
    const works = this.#works;
    this.#works = [];
    // Before the work, which may change the context that it runs in.
    this.#wait();
    for (const work of works) perform(work);
  };
}

/** One that throws must not keep the others from being done. */
function perform(work: () => void): void {
  try {
    work();
  } catch (error) {
    void Promise.reject(error);
  }
}
