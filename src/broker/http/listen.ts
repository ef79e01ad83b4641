import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { checkNames } from '../../contract/check-names.ts';
import { checkInteger } from '../../contract/check-options.ts';
import type { Clock, Timer } from '../../contract/clock.ts';
import { systemClock } from '../../contract/system-clock.ts';
import { type ApiAnswer, type ApiHandler, fromResponse, toResponse } from './api-exchange.ts';
import { SocketAnswers, endWith } from './socket-answers.ts';
import { edgeRefusals } from './edge-refusals.ts';
import { allowOrigins } from './cross-origin.ts';
import { passTurns } from '../time/event-loop-turn.ts';
import { Disconnection } from '../faults/faults.ts';
import { readRequest, type SocketRequest } from './socket-request.ts';
import { refusalFor } from './mistake.ts';
import { refusals } from './refusal.ts';
import { methodsAt } from './routes.ts';
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
  handler: ApiHandler,
  options: ListenOptions = {},
  clock: Clock = systemClock,
): Promise<Listener> {
  const allowed = ['port', 'host', 'requestTimeoutMs', 'intercept', 'allowedOrigins'];
  checkNames('listen', options, { kind: 'option', allowed });
  const { port = 0, host = '127.0.0.1' } = options;
  const respond = openFor(options, handler);
  const answering = new Set<Promise<ApiAnswer>>();
  const server = serve(options, host, (request) => {
    const answered = respond(request).finally(() => answering.delete(answered));
    answering.add(answered);
    return answered;
  });
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
    // Node's own refusal has no body.
    requireHostHeader: false,
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(requestTimeoutMs / 2, 5_000),
  };
}

type Respond = (request: SocketRequest) => Promise<ApiAnswer>;

/** Lets those see a request first, as the platform has it, who are to. */
function openFor({ intercept, allowedOrigins = [] }: ListenOptions, handler: ApiHandler): Respond {
  const next = async (request: Request): Promise<Response> => toResponse(await handler(request));
  const open = allowOrigins((request) => (intercept ? intercept(request, next) : next(request)), allowedOrigins);
  if (intercept === undefined && allowedOrigins.length === 0) return handler;
  return async (request) => {
    const response = await open(request.toRequest());
    return fromResponse(response).catch(() => {
      throw new Disconnection();
    });
  };
}

/** A server that hands every request to `handler`, and refuses in the service's form what it can't make one of. */
function serve(options: ListenOptions, host: string, respond: Respond): Server {
  const connections = new SocketAnswers();
  const answerWith = (respondTo: RespondTo) => (incoming: IncomingMessage, outgoing: ServerResponse) =>
    void answer(incoming, outgoing, { respondTo, ...connections.begin(incoming) });
  const carryOut = answerWith(async (incoming, onRead) => respond(await readRequest(incoming, host, onRead)));
  return createServer(serverOptions(options), carryOut)
    .on('checkContinue', carryOut)
    .on(
      'checkExpectation',
      answerWith(() => Promise.reject(edgeRefusals.expectation())),
    )
    .on('connect', (_, socket) => endWith(socket, refusals.methodNotAllowed('CONNECT', methodsAt(undefined))))
    .on('clientError', connections.refuse);
}

type RespondTo = (incoming: IncomingMessage, onRead: () => void) => Promise<ApiAnswer>;

interface Answering {
  readonly respondTo: RespondTo;
  readonly answered: () => void;
  readonly over: () => void;
}

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { respondTo, answered, over }: Answering,
): Promise<void> {
  // A client that goes away while it is being answered is no error of ours.
  outgoing.on('error', () => undefined);
  incoming.on('error', () => undefined).once('close', over);
  let isBodyAwaited = incoming.headers.expect !== undefined;
  try {
    const { status, headers, text } = await respondTo(incoming, () => {
      if (isBodyAwaited) outgoing.writeContinue();
      isBodyAwaited = false;
    }).catch(refuse);
    answered();
    // Whether a body follows that nobody asked for can't be known.
    if (isBodyAwaited && !incoming.complete) outgoing.setHeader('connection', 'close');
    outgoing.setHeader('content-length', Buffer.byteLength(text));
    outgoing.writeHead(status, headers).end(text);
    // What is left of the body is dropped, for the next request to be found.
    incoming.resume();
  } catch {
    // It shall see a lost connection.
    outgoing.destroy();
  }
}

function refuse(error: unknown): ApiAnswer {
  if (error instanceof Disconnection) throw error;
  return answerRefusal(refusalFor(error));
}

async function close(server: Server, answering: ReadonlySet<Promise<ApiAnswer>>, clock: Clock): Promise<void> {
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
