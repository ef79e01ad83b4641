/** Where progress is written: standard error, or a test's collector. */
export interface ProgressTarget {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

const barWidth = 30;

/** Shows how far a job is: a bar that is redrawn on a terminal, a line at each tenth elsewhere. */
export class Progress {
  readonly #target: ProgressTarget;
  readonly #label: string;
  readonly #total: number;
  #tenths = -1;

  constructor(target: ProgressTarget, label: string, total: number) {
    this.#target = target;
    this.#label = label;
    this.#total = total;
  }

  show(done: number): void {
    const share = this.#total === 0 ? 1 : Math.min(1, done / this.#total);
    if (this.#target.isTTY === true) {
      const filled = Math.round(share * barWidth);
      const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled);
      this.#target.write(`\r${this.#label} ${bar} ${done}/${this.#total}${share === 1 ? '\n' : ''}`);
      return;
    }
    const tenths = Math.floor(share * 10);
    if (tenths === this.#tenths) return;
    this.#tenths = tenths;
    this.#target.write(`${this.#label} ${done}/${this.#total}\n`);
  }
}
