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

/**
 * The lines of a text that comes in pieces, without their ends, without a byte order mark, the last one if not empty; and
 * the pauses between the pieces, where there are any.
 */
export async function* readLines<Pause extends undefined>(
  chunks: AsyncIterable<string | Uint8Array | Pause>,
): AsyncGenerator<string | Pause, void, undefined> {
  // A byte order mark at the start is taken away by the decoder.
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    if (typeof chunk === 'string') rest += chunk;
    else if (chunk instanceof Uint8Array) rest += decoder.decode(chunk, { stream: true });
    else yield chunk;
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
