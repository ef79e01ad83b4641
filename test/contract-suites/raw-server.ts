import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** Answers a request with the very bytes that it writes. */
export type RawHandler = (socket: Socket, request: string) => void;

/** A server that knows no more of HTTP than where a request ends. */
export class RawServer implements AsyncDisposable {
  /** The requests that came whole. */
  readonly requests: string[] = [];
  /** Every connection there was. */
  readonly sockets: Socket[] = [];
  readonly #server: Server;

  private constructor(handler: RawHandler, onConnection: (socket: Socket) => void) {
    this.#server = createServer((socket) => {
      this.sockets.push(socket);
      socket.on('error', () => undefined);
      onConnection(socket);
      let text = '';
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        text += chunk;
        const length = /^content-length: (\d+)/im.exec(text)?.[1] ?? '0';
        const end = text.indexOf('\r\n\r\n') + 4 + Number(length);
        if (!text.includes('\r\n\r\n') || text.length < end) return;
        const request = text.slice(0, end);
        text = text.slice(end);
        this.requests.push(request);
        handler(socket, request);
      });
    });
  }

  static async listen(
    handler: RawHandler,
    {
      host = '127.0.0.1',
      onConnection = () => undefined,
    }: { host?: string; onConnection?: (socket: Socket) => void } = {},
  ): Promise<RawServer> {
    const server = new RawServer(handler, onConnection);
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject).listen(0, host, resolve);
    });
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }
}

/** Writes pieces, each in a turn of the event loop of its own. */
export async function writeInTurns(socket: Socket, pieces: Iterable<Uint8Array>): Promise<void> {
  socket.setNoDelay(true);
  for (const piece of pieces) await new Promise((resolve) => socket.write(piece, () => setImmediate(resolve)));
}

/** An answer as it goes over the wire, with its length. */
export function answer(body: string | Buffer, { status = '200 OK', headers = '' } = {}): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status}\r\ncontent-length: ${bytes.length}\r\n${headers}\r\n`), bytes]);
}
