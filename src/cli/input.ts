import { createReadStream, open as openFile, fstat as statFile } from 'node:fs';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import { readLines } from './read-lines.ts';
import type { Terminal } from './terminal.ts';

/** What is to be pushed: read once, from the start to the end. */
export interface Input {
  readonly chunks: AsyncIterable<string | Uint8Array>;
  /** How many lines there are now that are not blank; `undefined` for what can't be read twice. */
  countLines(): Promise<number | undefined>;
  close(): void;
}

const open = promisify(openFile);
const fstat = promisify(statFile);

// Opened by name, a standard input that is a socket is refused, and a file is read from its start.
const namesOfStdin: ReadonlySet<string> = new Set(['-', '/dev/stdin', '/dev/fd/0', '/proc/self/fd/0']);

/**
 * Opens a file, or standard input, once: what is counted and what is pushed is the same file, whatever has its name
 * later, and a pipe is never opened twice.
 */
export async function openInput(file: string, { stdin, signal }: Terminal): Promise<Input> {
  if (namesOfStdin.has(file)) return { chunks: stdin, countLines: countNothing, close: () => undefined };
  const fd = await open(file, 'r');
  const stats = await fstat(fd);
  if (stats.isFIFO()) {
    // A read stream would wait for the pipe in a thread, and keep the process alive after an interrupt.
    const pipe = new Socket({ fd, readable: true, writable: false });
    return { chunks: pipe, countLines: countNothing, close: () => void pipe.destroy() };
  }
  // Of size 0 are also files that the system makes up as they are read.
  const isSteady = stats.isFile() && stats.size > 0;
  const chunks = createReadStream('', { fd, ...(isSteady ? { start: 0 } : {}) });
  const countLines = (): Promise<number> => countIn(createReadStream('', { fd, start: 0, autoClose: false, signal }));
  return { chunks, countLines: isSteady ? countLines : countNothing, close: () => void chunks.destroy() };
}

function countNothing(): Promise<undefined> {
  return Promise.resolve(undefined);
}

async function countIn(chunks: AsyncIterable<Uint8Array>): Promise<number> {
  let count = 0;
  for await (const line of readLines<never>(chunks, { isLenient: true })) if (line.trim() !== '') count += 1;
  return count;
}
