import type { Output } from './terminal.ts';

const barWidth = 30;
// Without a total, elsewhere than on a terminal: a line for so many.
const countedStep = 10_000;

/**
 * Shows how far a job is: a bar that is redrawn on a terminal, a line at each tenth elsewhere; a count where nobody
 * knows how much there is.
 */
export class Progress {
  readonly #target: Output;
  readonly #label: string;
  /** What there was when somebody counted: there may be more by now. */
  #total: number | undefined;
  #lastStep = -1;
  #isOpen = false;

  /** @param total - how much there is, if that is known already */
  constructor(target: Output, label: string, total?: number) {
    this.#target = target;
    this.#label = label;
    this.#total = total;
  }

  /** Says how much there is, once that is known. */
  expect(total: number): void {
    this.#total = total;
  }

  show(done: number): void {
    if (this.#total !== undefined) this.#total = Math.max(this.#total, done);
    if (this.#target.isTTY === true) return this.#redraw(done);
    const step = this.#total === undefined ? Math.floor(done / countedStep) : Math.floor(this.#shareOf(done) * 10);
    if (step === this.#lastStep || (this.#total === undefined && step === 0)) return;
    this.#lastStep = step;
    this.#target.write(`${this.#text(done)}\n`);
  }

  /** Ends the line of a bar that did not get to its end, so that what follows stands on its own. */
  end(): void {
    if (this.#isOpen) this.#target.write('\n');
    this.#isOpen = false;
  }

  #redraw(done: number): void {
    const isComplete = this.#total !== undefined && done >= this.#total;
    const filled = Math.round(this.#shareOf(done) * barWidth);
    const bar = this.#total === undefined ? '' : `${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)} `;
    this.#target.write(`\r${this.#label} ${bar}${this.#count(done)}${isComplete ? '\n' : ''}`);
    this.#isOpen = !isComplete;
  }

  #text(done: number): string {
    return `${this.#label} ${this.#count(done)}`;
  }

  #count(done: number): string {
    return this.#total === undefined ? String(done) : `${done}/${this.#total}`;
  }

  #shareOf(done: number): number {
    if (this.#total === undefined) return 0;
    return this.#total === 0 ? 1 : Math.min(1, done / this.#total);
  }
}
