import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { listen } from './listen.ts';

/** What a proxy was asked for: the address, and by which credential. */
export interface ProxyRequest {
  readonly method: string;
  /** `host:port` of a tunnel, the whole address of anything else. */
  readonly target: string;
  readonly authorization: string | undefined;
}

export interface ConnectProxyOptions {
  /** Where every tunnel ends, whatever it was asked for. @defaultValue where it was asked for */
  readonly port?: number;
  /** What it does with a request for a tunnel instead of opening it. @defaultValue it opens it */
  readonly refuse?: (socket: Duplex) => void;
}

/** A proxy on the loopback interface: opens tunnels, and answers everything else itself, with 502. */
export class ConnectProxy implements AsyncDisposable {
  readonly requests: ProxyRequest[] = [];
  readonly #options: ConnectProxyOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();
  #port = 0;

  private constructor(options: ConnectProxyOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      this.#note(request);
      response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>The proxy can not reach that</h1>');
    });
    this.#server.on('connect', (request, socket) => {
      this.#note(request);
      this.#keep(socket);
      if (options.refuse === undefined) this.#open(request, socket);
      else options.refuse(socket);
    });
  }

  static async listen(options: ConnectProxyOptions = {}): Promise<ConnectProxy> {
    const proxy = new ConnectProxy(options);
    proxy.#port = await listen(proxy.#server);
    return proxy;
  }

  /** `127.0.0.1:PORT` */
  get host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Its address as the variables have it. */
  url(credential = ''): string {
    return `http://${credential}${credential && '@'}${this.host}`;
  }

  #note({ method = '', url = '', headers }: IncomingMessage): void {
    this.requests.push({ method, target: url, authorization: headers['proxy-authorization'] });
  }

  #keep<Kind extends Duplex>(socket: Kind): Kind {
    this.#sockets.add(socket);
    return socket.on('error', () => socket.destroy()).once('close', () => this.#sockets.delete(socket));
  }

  #open({ url = '' }: IncomingMessage, socket: Duplex): void {
    const [host = '', port] = url.split(':');
    const { port: instead } = this.#options;
    const far: Socket = this.#keep(
      connect(instead ?? Number(port), instead === undefined ? host : '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        far.pipe(socket).pipe(far);
      }),
    );
    far.once('close', () => socket.destroy());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
