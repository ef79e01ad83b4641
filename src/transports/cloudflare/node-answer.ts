import { Buffer, isAscii } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { AbortState } from '../../contract/lazy-controller.ts';
import type { FetchAnswer } from './fetch.ts';
import { decodeContent } from './node-content.ts';
import type { AnswerHeaders } from './retry-after.ts';

/**
 * The longest answer that is read, in bytes, packed or not: three times what a hundred messages of the largest size come
 * to, so that a server which never ends does not fill the memory.
 */
const mostBytes = 64 * 1024 * 1024;

/** An answer of Node's HTTP client, read whole from the moment on that its head is there. */
export class NodeAnswer implements FetchAnswer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly #text: Promise<string>;

  constructor(message: IncomingMessage, end: AbortState) {
    this.status = message.statusCode ?? 0;
    this.headers = new NodeHeaders(message);
    this.#text = readText(message, end);
    // Nobody may ask for it.
    this.#text.catch(() => undefined);
  }

  text(): Promise<string> {
    return this.#text;
  }
}

/** Headers that are looked at when somebody asks. */
class NodeHeaders implements AnswerHeaders {
  readonly #message: IncomingMessage;

  constructor(message: IncomingMessage) {
    this.#message = message;
  }

  get(name: string): string | null {
    const value = this.#message.headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(', ') : (value ?? null);
  }

  *[Symbol.iterator](): Generator<[name: string, value: string]> {
    const { rawHeaders } = this.#message;
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) yield [rawHeaders[at] ?? '', rawHeaders[at + 1] ?? ''];
  }
}

async function readText(message: IncomingMessage, end: AbortState): Promise<string> {
  try {
    const whole = await readWhole(message);
    const coding = message.headers['content-encoding'];
    if (coding === undefined) return textIn(whole);
    return textOf(await decodeContent(Buffer.concat(whole.chunks, whole.length), coding, mostBytes));
  } catch (error) {
    end.throwIfAborted();
    throw error;
  }
}

/** A body in the pieces in which it came. */
interface Whole {
  readonly chunks: readonly Buffer[];
  readonly length: number;
}

function readWhole(message: IncomingMessage): Promise<Whole> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    message.on('data', (chunk: Buffer) => {
      length += chunk.length;
      chunks.push(chunk);
      if (length > mostBytes) message.destroy(new Error(`The answer is longer than ${mostBytes} bytes`));
    });
    message.on('end', () => resolve({ chunks, length }));
    message.on('error', reject);
    message.on('close', () => {
      if (!message.readableEnded) reject(new Error('The answer ended before its time'));
    });
  });
}

/** Where the parts of an answer are put together, to be read at once: memory for each of them would cost more than that. */
let desk: Buffer | undefined;
const deskBytes = 256 * 1024;

function textIn({ chunks, length }: Whole): string {
  if (length > deskBytes) return textOf(Buffer.concat(chunks, length));
  desk ??= Buffer.allocUnsafeSlow(deskBytes);
  let end = 0;
  for (const chunk of chunks) end += chunk.copy(desk, end);
  return textOf(desk.subarray(0, length));
}

// As fetch does: without the mark that some put at the beginning.
function textOf(bytes: Buffer): string {
  if (isAscii(bytes)) return bytes.toString('latin1');
  const text = bytes.toString('utf8');
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}
