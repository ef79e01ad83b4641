import { Buffer } from 'node:buffer';
import http, { type ClientRequest, type RequestOptions } from 'node:http';
import https from 'node:https';
import { urlToHttpOptions } from 'node:url';
import { type AbortState, abortStateOf, whenAborted } from '../../contract/lazy-controller.ts';
import type { FetchInit } from './fetch.ts';
import { agentFor, mayBeClosed } from './node-agents.ts';
import { NodeAnswer } from './node-answer.ts';
import { PlainHeaders } from './plain-headers.ts';

/** A connection may be found closed, and each of those kept may be; one that is new is not. */
const mostAttempts = 4;
const mostTargets = 1_000;

/**
 * Makes a request by Node's HTTP client. Fulfils when the head of the answer is there. A request of which nothing was
 * written, since the server had closed the connection that was kept, is made again; no other is, as it may have been
 * worked on.
 *
 * @throws the signal's reason when aborted; the client's own error
 */
export async function nodeRequest(url: string, init: FetchInit): Promise<NodeAnswer> {
  const target = targetOf(url);
  const isSecure = target.protocol === 'https:';
  const options: RequestOptions = { method: init.method, headers: headersOf(init, isSecure), ...target };
  const end = abortStateOf(init);
  for (let left = mostAttempts; ; left -= 1) {
    end.throwIfAborted();
    // Looked up at each call: tracers and mocks put their own there.
    const request = isSecure ? https.request(options) : http.request(options);
    const answer = await attempt(request, init.body, end);
    if (answer !== undefined) return answer;
    if (left === 1) throw new Error('Every connection that was kept had been closed by the server');
  }
}

const targets = new Map<string, RequestOptions>();

/** Where an address leads. A queue has a handful of them, and asks for the same again and again. */
function targetOf(url: string): RequestOptions {
  const known = targets.get(url);
  if (known !== undefined) return known;
  const { protocol, hostname, port, path } = urlToHttpOptions(new URL(url));
  const target = { protocol, hostname, port, path, agent: agentFor(String(protocol)) };
  if (targets.size >= mostTargets) targets.clear();
  targets.set(url, target);
  return target;
}

// Packed, an answer of a pull is half as long, and a round trip sooner there over a connection that was idle; to unpack it
// takes about a fifth of what its messages cost in all. It is not worth it from this machine, and plain http goes no further.
function headersOf({ headers }: FetchInit, isFar: boolean): Record<string, string> {
  const given: unknown = headers;
  const values = given instanceof PlainHeaders ? given.values : Object.fromEntries(headers);
  return { 'accept-encoding': isFar ? 'br, gzip' : 'identity', 'user-agent': 'node', ...values };
}

/** One request over one connection. Gives `undefined` when it was closed before anything was written. */
function attempt(request: ClientRequest, body: string | undefined, end: AbortState): Promise<NodeAnswer | undefined> {
  return new Promise((resolve, reject) => {
    let isWritten = false;
    let isAnswered = false;
    const write = (): void => {
      if (request.destroyed) return;
      isWritten = true;
      send(request, body);
    };
    const unheed = whenAborted(end, () => request.destroy());
    const stop = (error: unknown): void => {
      unheed();
      if (end.aborted) reject(end.reason);
      else if (isWritten) reject(error);
      else resolve(undefined);
    };
    request.on('response', (message) => {
      isAnswered = true;
      resolve(new NodeAnswer(message, end));
    });
    // Stays for what comes after the answer, as bytes that are none of it.
    request.on('error', stop);
    // An error that nobody gets would cost what three messages do: its stack is looked up when it is made.
    request.on('close', () => (isAnswered ? unheed() : stop(new Error('The connection was closed before the answer'))));
    // A turn of the event loop shows whether the server has closed it meanwhile.
    if (mayBeClosed(request)) setImmediate(write);
    else write();
  });
}

/** Ends a request. Told that a body is ASCII, Node writes it as it is, and looks at none of its characters again. */
function send(request: ClientRequest, body: string | undefined): void {
  if (body !== undefined && Buffer.byteLength(body) === body.length) request.end(body, 'ascii');
  else request.end(body);
}
