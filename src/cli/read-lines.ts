import { EncodedBody } from '../contract/body.ts';
import { InputError } from './exit-codes.ts';

/** A line that is not what it should be. */
export class LineError extends InputError {
  readonly lineNumber: number;

  /** @param lineNumber - counted from 1 */
  constructor(lineNumber: number, reason: string) {
    super(`Line ${lineNumber} ${reason}`);
    this.lineNumber = lineNumber;
  }
}

/** The lines of a text that comes in pieces, without their ends, without a byte order mark, the last one if not empty. */
export async function* readLines(chunks: AsyncIterable<string | Uint8Array>): AsyncGenerator<string, void, undefined> {
  // A byte order mark at the start is taken away by the decoder.
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield line.replace(/\r$/, '').replace(/^\uFEFF/, '');
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}

/**
 * Reads a line of newline-delimited JSON for a push. The JSON goes out as it is, a string as text.
 *
 * @returns `undefined` for a blank line
 * @throws LineError when it is not JSON
 */
export function parseLine(line: string, lineNumber: number): EncodedBody | undefined {
  const json = line.trim();
  if (json === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new LineError(lineNumber, `is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof value !== 'string') return new EncodedBody('json', json);
  if (!value.isWellFormed()) throw new LineError(lineNumber, 'has a lone surrogate: it has no UTF-8 form');
  return new EncodedBody('text', value);
}
