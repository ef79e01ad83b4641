/** A fault that somebody might make, planted to see whether the tests notice. */
export interface Mutant {
  /** The fault in words. */
  readonly name: string;
  /** The file it is planted in, from the root of the repository. */
  readonly file: string;
  /** The text that is replaced. Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** The number of an invariant of the design that it breaks: then the simulation has to notice. */
  readonly invariant?: number;
}

/**
 * The source with the fault planted.
 *
 * @throws Error that names the mutant, when the text to replace is not there exactly once
 */
export function plant(source: string, { name, file, find, replace }: Mutant): string {
  const times = source.split(find).length - 1;
  if (times !== 1) throw new Error(`Cannot plant '${name}': ${file} has its text ${times} times, not once`);
  return source.replace(find, () => replace);
}
