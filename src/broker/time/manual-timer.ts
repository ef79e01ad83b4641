import type { Timer } from '../../contract/clock.ts';
import type { Heap, HeapItem } from '../queue/heap.ts';

/** A timer of the manual clock; in the clock's heap as long as it is pending. */
export class ManualTimer implements Timer, HeapItem {
  readonly dueAt: number;
  readonly sequence: number;
  heapIndex = -1;
  refed = true;
  readonly #timers: Heap<ManualTimer>;
  readonly #callback: () => void;

  constructor(timers: Heap<ManualTimer>, callback: () => void, dueAt: number, sequence: number) {
    this.#timers = timers;
    this.#callback = callback;
    this.dueAt = dueAt;
    this.sequence = sequence;
  }

  /** Calls back, unless the timer has fired or was cancelled. */
  fire(): void {
    if (this.heapIndex < 0) return;
    this.#timers.remove(this);
    this.#callback();
  }

  cancel(): void {
    if (this.heapIndex >= 0) this.#timers.remove(this);
  }

  ref(): void {
    this.refed = true;
  }

  unref(): void {
    this.refed = false;
  }
}
