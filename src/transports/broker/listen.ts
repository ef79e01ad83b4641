import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { checkInteger } from '../../contract/check-options.ts';
import type { Clock, Timer } from '../../contract/clock.ts';
import { systemClock } from '../../contract/system-clock.ts';
import { checkNames } from './check-names.ts';
import { allowOrigins } from './cross-origin.ts';
import { passTurns } from './event-loop-turn.ts';
import { Disconnection } from './faults.ts';
import { maxRequestBytes } from './request-body.ts';
import { Refusal, refusals } from './refusal.ts';
import { answerRefusal } from './wire-answers.ts';

/** Where to listen. */
export interface ListenOptions {
  /** 0..65 535; 0 takes a free one. @defaultValue 0 */
  readonly port?: number;
  /** One that others can reach, as `'0.0.0.0'`, needs a broker with a token of its own. @defaultValue `'127.0.0.1'` */
  readonly host?: string;
  /**
   * How long a client may take to send a request, in milliseconds, 1 000..3 600 000; then it is answered with 408 and
   * its connection ends. @defaultValue 30 000
   */
  readonly requestTimeoutMs?: number;
  /**
   * Sees every request first: answers it, or hands it on to the broker. The request's address has a host that is not
   * the client's: what the client called is in the `host` header. @defaultValue none
   */
  readonly intercept?: (request: Request, next: (request: Request) => Promise<Response>) => Promise<Response>;
  /** The origins whose pages may use the broker, as `'http://localhost:5173'`. @defaultValue none */
  readonly allowedOrigins?: readonly string[];
}

/** A socket that is being listened on. */
export interface Listener {
  readonly port: number;
  /** `http://host:port`, with a host that can be connected to. */
  readonly origin: string;
  /**
   * Takes no more connections, lets answers that are being made go out, ends all connections, idle ones and those with
   * half a request included, and resolves. Further calls give the same promise.
   */
  readonly close: () => Promise<void>;
}

// Clients that keep connections open for longer than the server find them closed just when they use them again.
const keepAliveTimeoutMs = 75_000;
// How long close() waits for answers that are being made; they take far less, unless a handler hangs.
const closingGraceMs = 1_000;

/**
 * Answers HTTP requests on a socket with `handler`. Rejects when the address can't be had.
 *
 * @param clock - times the patience of `close()`: not the broker's own, which may stand still
 */
export async function listen(
  handler: Handler,
  options: ListenOptions = {},
  clock: Clock = systemClock,
): Promise<Listener> {
  const allowed = ['port', 'host', 'requestTimeoutMs', 'intercept', 'allowedOrigins'];
  checkNames('listen', options, { kind: 'option', allowed });
  const { port = 0, host = '127.0.0.1', intercept = (request, next) => next(request), allowedOrigins = [] } = options;
  const open = allowOrigins((request) => intercept(request, handler), allowedOrigins);
  const answering = new Set<Promise<Response>>();
  const server = createServer(serverOptions(options), (incoming, outgoing) => {
    void answer(incoming, outgoing, (request) => {
      const answered = open(request).finally(() => answering.delete(answered));
      answering.add(answered);
      return answered;
    });
  });
  server.on('clientError', refuseConnection);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  let closed: Promise<void> | undefined;
  return {
    port: portOf(server),
    origin: originOf(server, host),
    close: () => (closed ??= close(server, answering, clock)),
  };
}

function serverOptions({ requestTimeoutMs = 30_000 }: ListenOptions): ServerOptions {
  checkInteger('listen', 'requestTimeoutMs', requestTimeoutMs, [1_000, 3_600_000]);
  return {
    keepAliveTimeout: keepAliveTimeoutMs,
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(requestTimeoutMs / 2, 5_000),
  };
}

// What never became a request: too slow, too long a head, or not HTTP. Node's own answers have no body.
function refuseConnection(error: Error & { readonly code?: string }, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
  const status = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400;
  const reason = STATUS_CODES[status] ?? '';
  const body = JSON.stringify({
    success: false,
    errors: [{ code: 10_026, message: reason }],
    messages: [],
    result: null,
  });
  const head = `HTTP/1.1 ${status} ${reason}\r\nconnection: close\r\ncontent-type: application/json`;
  socket.end(`${head}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
}

type Handler = (request: Request) => Promise<Response>;

async function answer(incoming: IncomingMessage, outgoing: ServerResponse, handler: Handler): Promise<void> {
  // A client that goes away while it is being answered is no error of ours.
  outgoing.on('error', () => undefined);
  try {
    const response = await respond(incoming, handler);
    const body = await response.text();
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(body);
  } catch {
    // It went away before its request was complete, so that nobody is left to answer, or shall see a lost connection.
    outgoing.destroy();
  }
}

async function respond(incoming: IncomingMessage, handler: Handler): Promise<Response> {
  const body = await readBody(incoming);
  try {
    if (body === undefined) throw refusals.malformedBody(`more than ${maxRequestBytes} bytes`);
    return await handler(toRequest(incoming, body));
  } catch (error) {
    if (error instanceof Disconnection) throw error;
    // What no Request can be made of: a method such as TRACE, a target that is no path.
    return answerRefusal(error instanceof Refusal ? error : refusals.invalid(String(error)));
  }
}

/** The body, read to its end; `undefined` when it is too large, of which the rest is read and dropped. */
async function readBody(incoming: IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= maxRequestBytes) chunks.push(chunk);
    else chunks.length = 0;
  }
  return bytes <= maxRequestBytes ? Buffer.concat(chunks) : undefined;
}

function toRequest(incoming: IncomingMessage, body: Uint8Array): Request {
  const { method = 'GET', url = '/', headers } = incoming;
  const entries = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
  // The path is all that counts; what the client called this host does not.
  const target = new URL(url.startsWith('/') ? `http://broker.invalid${url}` : url);
  const bodiless = method === 'GET' || method === 'HEAD' || body.length === 0;
  return new Request(target, { method, headers: entries, ...(bodiless ? {} : { body }) });
}

async function close(server: Server, answering: ReadonlySet<Promise<Response>>, clock: Clock): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  let giveUp: Timer | undefined;
  const graceOver = new Promise<void>((resolve) => {
    giveUp = clock.setTimer(resolve, closingGraceMs);
  });
  await Promise.race([Promise.allSettled(answering), graceOver]);
  giveUp?.cancel();
  // One turn in which the last answers are written.
  await passTurns(1);
  server.closeAllConnections();
  await closed;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function originOf(server: Server, host: string): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${portOf(server)}`;
}
