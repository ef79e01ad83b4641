import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { listen } from './listen.ts';

/** The name that the certificate is for, which no name server knows. */
export const secureHost = 'queues.test';
/** The certificate, as `NODE_EXTRA_CA_CERTS` takes it. */
export const certificateFile = join(import.meta.dirname, 'certificate.pem');

// Of no use but here: nobody trusts the certificate who was not told to.
const keyFile = join(import.meta.dirname, 'key.pem');

/** Puts TLS before a server of the loopback interface. */
export class SecureFront implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #port = 0;

  private constructor(behindPort: number) {
    const identity = { key: readFileSync(keyFile), cert: readFileSync(certificateFile) };
    this.#server = createServer(identity, (socket) => {
      const behind = this.#keep(connect(behindPort, '127.0.0.1'));
      this.#keep(socket).pipe(behind).pipe(socket);
    });
    this.#server.on('tlsClientError', () => undefined);
  }

  /** @param baseUrl - of what is behind it */
  static async before(baseUrl: string): Promise<SecureFront> {
    const front = new SecureFront(Number(new URL(baseUrl).port));
    front.#port = await listen(front.#server);
    return front;
  }

  get port(): number {
    return this.#port;
  }

  #keep<Kind extends Socket>(socket: Kind): Kind {
    this.#sockets.add(socket);
    return socket.on('error', () => socket.destroy()).once('close', () => this.#sockets.delete(socket));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
