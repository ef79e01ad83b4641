/** A line that is not JSON. */
export class LineError extends Error {
  override readonly name = 'LineError';

  /** @param lineNumber - counted from 1 */
  constructor(lineNumber: number, cause: unknown) {
    super(`Line ${lineNumber} is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/**
 * Reads newline-delimited JSON; blank lines are passed over.
 *
 * @param text - the whole text, with `\n` or `\r\n`, with or without a byte order mark
 * @throws LineError for the first line that is not JSON
 */
export function readJsonLines(text: string): unknown[] {
  const values: unknown[] = [];
  text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .forEach((line, index) => {
      if (line.trim() === '') return;
      try {
        values.push(JSON.parse(line));
      } catch (cause) {
        throw new LineError(index + 1, cause);
      }
    });
  return values;
}
