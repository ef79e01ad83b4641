import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { edgeRefusals } from './edge-refusals.ts';
import type { Refusal } from './refusal.ts';
import { envelopeOf, headersOf } from './wire-answers.ts';

/** A request that is not yet both wholly there and answered. */
interface Exchange {
  readonly incoming: IncomingMessage;
  isAnswered: boolean;
}

/** What is under way on each connection, so that none is answered twice or out of turn. */
export class SocketAnswers {
  readonly #underWay = new WeakMap<Duplex, Set<Exchange>>();

  /** @returns what to call once it is answered, and once it is over */
  begin(incoming: IncomingMessage): { answered: () => void; over: () => void } {
    const exchange: Exchange = { incoming, isAnswered: false };
    const all = this.#underWay.get(incoming.socket) ?? new Set();
    this.#underWay.set(incoming.socket, all.add(exchange));
    return { answered: () => (exchange.isAnswered = true), over: () => all.delete(exchange) };
  }

  /** Answers what never became a request: too slow, too long a head, or not HTTP. Node's own answers have no body. */
  readonly refuse = (error: Error & { readonly code?: string }, socket: Duplex): void => {
    const [current, next] = this.#underWay.get(socket) ?? [];
    // What is wrong is the rest of a body whose request is answered, or stands behind one that is not.
    const isOutOfTurn =
      current !== undefined && (next !== undefined || current.isAnswered || current.incoming.complete);
    if (!socket.writable || error.code === 'ECONNRESET' || isOutOfTurn) return void socket.destroy();
    const status = statuses.get(error.code ?? '') ?? 400;
    endWith(socket, edgeRefusals.unreadable(status, STATUS_CODES[status] ?? ''));
  };
}

const statuses: ReadonlyMap<string, number> = new Map([
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 413],
  ['HPE_HEADER_OVERFLOW', 431],
]);

/** Refuses on the bare connection, and ends it. */
export function endWith(socket: Duplex, refusal: Refusal): void {
  const body = JSON.stringify(envelopeOf(refusal));
  const headers = { connection: 'close', 'content-length': Buffer.byteLength(body), ...headersOf(refusal) };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ''}\r\n${lines.join('')}\r\n${body}`);
}
