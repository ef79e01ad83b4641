import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { QueueConnection } from '../../src/broker.ts';
import { listen } from '../proxies/listen.ts';

const pushed = JSON.stringify({ success: true, errors: [], messages: [], result: { metadata: {} } });
const allowed = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*, authorization' };

/** A service that closes each connection at the second request on it, when it has read that whole, and answers nothing. */
export interface ForgetfulService extends AsyncDisposable {
  readonly connection: QueueConnection;
  /** How many requests it has read, those that the browser asks for itself apart. */
  readonly read: () => number;
}

export async function listenForgetful(): Promise<ForgetfulService> {
  let read = 0;
  const reading = new WeakMap<object, number>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method === 'OPTIONS') return void response.writeHead(204, allowed).end();
    await request.toArray();
    read += 1;
    const nth = (reading.get(request.socket) ?? 0) + 1;
    reading.set(request.socket, nth);
    if (nth === 2) request.socket.destroy();
    else response.writeHead(200, { ...allowed, 'content-type': 'application/json' }).end(pushed);
  };
  const server = createServer((request, response) => void answer(request, response));
  const baseUrl = `http://127.0.0.1:${await listen(server)}`;
  return {
    connection: { accountId: 'a', queueId: 'q', queueName: 'q', apiToken: 'secret-token', baseUrl },
    read: () => read,
    [Symbol.asyncDispose]: async () => server.close().closeAllConnections(),
  };
}
