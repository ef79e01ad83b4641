import { connect, type Socket } from 'node:net';
import type { BrokerServer } from '../../../src/broker.ts';

/** An answer as it came over a socket. */
export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  // The JSON of an answer is whatever the test says it is.
  readonly json: any; // oxlint-disable-line typescript/no-explicit-any
}

/** A connection that sends the very bytes that it is told, and reads answers one by one. */
export class RawClient implements Disposable {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #isClosed = false;
  #wake: () => void = () => undefined;

  constructor({ port }: Pick<BrokerServer, 'port'>) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.on('error', () => undefined);
    this.#socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    this.#socket.on('close', () => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  send(bytes: string | Uint8Array): this {
    this.#socket.write(bytes);
    return this;
  }

  /** The next answer, interim ones included. @throws Error when the connection ends before it */
  async answer({ toHead = false } = {}): Promise<RawAnswer> {
    for (;;) {
      const parsed = parse(this.#received, toHead);
      if (parsed !== undefined) {
        this.#received = this.#received.subarray(parsed.length);
        return parsed.answer;
      }
      if (this.#isClosed) throw new Error(`the connection ended after ${JSON.stringify(String(this.#received))}`);
      await this.#change();
    }
  }

  /** Waits until the other side closes. @returns what came and was not read */
  async closed(): Promise<string> {
    while (!this.#isClosed) await this.#change();
    return String(this.#received);
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

function parse(bytes: Buffer, toHead: boolean): { answer: RawAnswer; length: number } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd === -1) return undefined;
  const [statusLine = '', ...fields] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  const headers = Object.fromEntries(
    fields.map((field): [string, string] => {
      const colon = field.indexOf(':');
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
    }),
  );
  const start = headEnd + 4;
  const end = start + (toHead ? 0 : Number(headers['content-length'] ?? 0));
  if (bytes.length < end) return undefined;
  const body = bytes.toString('utf8', start, end);
  const json: unknown = headers['content-type'] === 'application/json' && body !== '' ? JSON.parse(body) : undefined;
  return { answer: { status: Number(statusLine.split(' ')[1]), headers, body, json }, length: end };
}
