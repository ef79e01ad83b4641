import { setTimeout as sleep } from 'node:timers/promises';
import { EncodedBody } from '../contract/body.ts';
import { limits } from '../contract/limits.ts';
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

/**
 * What comes, and `undefined` whenever nothing more has come for a while.
 *
 * @param pauseMs - how long that while is
 * @throws the signal's reason, when it aborts
 */
export async function* withPauses<Item>(
  items: AsyncIterable<Item>,
  pauseMs: number,
  signal: AbortSignal,
): AsyncGenerator<Item | undefined, void, undefined> {
  const iterator = items[Symbol.asyncIterator]();
  const aborted = new Promise<'aborted'>((resolve) => {
    signal.addEventListener('abort', () => resolve('aborted'), { once: true });
  });
  for (;;) {
    signal.throwIfAborted();
    const next = iterator.next();
    const over = new AbortController();
    const pause = sleep(pauseMs, 'pause' as const, { signal: over.signal }).catch(() => 'pause' as const);
    let first = await Promise.race([next, aborted, pause]);
    over.abort();
    if (first === 'pause') {
      yield undefined;
      first = await Promise.race([next, aborted]);
    }
    // Not an end: what has come of a line is not all of it.
    if (first === 'aborted') continue;
    if (first.done === true) return;
    yield first.value;
  }
}

const lineFeed = 0x0a;

/**
 * The lines of a UTF-8 text that comes in pieces, without their ends, without a byte order mark, the last one if not
 * empty; and the pauses between the pieces, where there are any.
 *
 * @param options - `isLenient`: gives U+FFFD for what is not UTF-8
 * @throws LineError for a line that is not UTF-8, once the lines before it were given
 */
export async function* readLines<Pause extends undefined>(
  chunks: AsyncIterable<string | Uint8Array | Pause>,
  { isLenient = false }: { readonly isLenient?: boolean } = {},
): AsyncGenerator<string | Pause, void, undefined> {
  const decoder = new LineDecoder(!isLenient);
  // What has come of a line whose end has not.
  let pieces: Uint8Array[] = [];
  for await (const chunk of chunks) {
    if (chunk === undefined) {
      yield chunk;
      continue;
    }
    const bytes = typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk;
    const end = bytes.lastIndexOf(lineFeed) + 1;
    if (end > 0) yield* decoder.decode(joined([...pieces, bytes.subarray(0, end)]));
    if (end > 0) pieces = [];
    if (end < bytes.length) pieces.push(bytes.slice(end));
  }
  if (pieces.length > 0) yield* decoder.decode(joined(pieces));
}

/** Decodes whole lines, and counts them. */
class LineDecoder {
  readonly #decoder: InstanceType<typeof TextDecoder>;
  #count = 0;

  constructor(fatal: boolean) {
    this.#decoder = new TextDecoder('utf-8', { fatal });
  }

  *decode(bytes: Uint8Array): Generator<string, void, undefined> {
    const text = this.#textOf(bytes);
    // A part of it is not: line by line, to find out which.
    if (text === undefined) return yield* this.#decodeEach(bytes);
    const lines = text.split('\n');
    if (lines.at(-1) === '') lines.pop();
    this.#count += lines.length;
    for (const line of lines) yield line.replace(/\r$/, '').replace(/^\uFEFF/, '');
  }

  *#decodeEach(bytes: Uint8Array): Generator<string, void, undefined> {
    for (let start = 0; start < bytes.length;) {
      const end = bytes.indexOf(lineFeed, start);
      const line = bytes.subarray(start, end < 0 ? bytes.length : end + 1);
      if (this.#textOf(line) === undefined) throw new LineError(this.#count + 1, 'is not UTF-8');
      yield* this.decode(line);
      start += line.length;
    }
  }

  #textOf(bytes: Uint8Array): string | undefined {
    try {
      return this.#decoder.decode(bytes);
    } catch {
      return undefined;
    }
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [first] = pieces;
  return pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces);
}

/**
 * Reads a line of newline-delimited JSON for a push. The JSON goes out as it is, a string as text.
 *
 * @returns `undefined` for a blank line
 * @throws LineError when it is not JSON, or too long for a message
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
  if (typeof value === 'string' && !value.isWellFormed()) {
    throw new LineError(lineNumber, 'has a lone surrogate: it has no UTF-8 form');
  }
  const body = typeof value === 'string' ? new EncodedBody('text', value) : new EncodedBody('json', json);
  if (body.bytes <= limits.messageBytes) return body;
  throw new LineError(lineNumber, `has a body of ${body.bytes} bytes: a message is at most ${limits.messageBytes}`);
}
