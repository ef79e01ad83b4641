/** One thing that was measured, and what it may be. */
export interface Row {
  readonly scenario: string;
  readonly measure: string;
  readonly value: number;
  /** The most that the value may be. */
  readonly bar: number;
  readonly isMet: boolean;
}

/** What is measured, its value, and the most that it may be. */
export type Measure = readonly [measure: string, value: number, bar: number];

/** A scenario by its name: gives what it measured. */
export interface Scenario {
  readonly name: string;
  run(scale: Scale): Promise<readonly Measure[]>;
}

/** How much of a scenario is run. */
export type Scale = 'quick' | 'usual' | 'full';

/** Runs a scenario and judges what it measured. */
export async function judge({ name, run }: Scenario, scale: Scale): Promise<Row[]> {
  const measures = await run(scale);
  return measures.map(([measure, value, bar]) => ({ scenario: name, measure, value, bar, isMet: value <= bar }));
}

/** Prints the rows of one scenario. */
export function print(rows: readonly Row[]): void {
  console.log(`\n${rows[0]?.scenario}`);
  for (const { measure, value, bar, isMet } of rows) {
    const numbers = `${shown(value).padStart(9)}  at most ${shown(bar).padStart(6)}`;
    console.log(`  ${measure.padEnd(66)}${numbers}  ${isMet ? 'met' : 'NOT MET'}`);
  }
}

function shown(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(3);
}
