import http, { type Agent, type ClientRequest } from 'node:http';
import https from 'node:https';
import { Socket } from 'node:net';
import { versions } from 'node:process';
import { readsInARow } from './node-reads.ts';

/** How long a connection is kept without a request, in milliseconds, unless the server keeps it for less. */
const keptMs = 60_000;
/** How much earlier than the server says a connection is given up, in milliseconds: closing it takes time to be seen. */
const earlierMs = 1_000;
/** How long a connection may have been idle and still be taken for open, in milliseconds. */
const surelyOpenMs = 500;

const idleSince = new WeakMap<object, number>();
const doubtful = new WeakSet<ClientRequest>();

/** Whether a request has a connection that was kept for so long that the server may have closed it. */
export function mayBeClosed(request: ClientRequest): boolean {
  return doubtful.has(request);
}

/** The connections of a protocol, `'https:'` or `'http:'`. Those that are idle keep no process alive. */
export function agentFor(protocol: string): Agent {
  return protocol === 'https:' ? agents.https : agents.http;
}

// What was bundled for Node may run elsewhere: an agent of Bun 1.2.0 has no createConnection(), and Bun 1.4.5 calls
// `onread` with no socket, and never asks for its buffer.
const isNode = versions['bun'] === undefined && versions['deno'] === undefined;

const agents = {
  http: watched(new http.Agent({ keepAlive: true, timeout: keptMs })),
  https: watched(new https.Agent({ keepAlive: true, timeout: keptMs })),
};

/** Makes an agent note how long its connections are idle, and open such as read cheaply. */
function watched(agent: Agent): Agent {
  if (isNode) {
    const create = agent.createConnection.bind(agent);
    agent.createConnection = (options, done) => create({ ...options, onread: readsInARow() } as typeof options, done);
  }
  const keep = agent.keepSocketAlive.bind(agent);
  const reuse = agent.reuseSocket.bind(agent);
  agent.keepSocketAlive = (socket) => {
    const isKept: unknown = keep(socket);
    idleSince.set(socket, now());
    if (socket instanceof Socket && (socket.timeout ?? keptMs) < keptMs) {
      socket.setTimeout(Math.max(1, (socket.timeout ?? keptMs) - earlierMs));
    }
    return isKept;
  };
  agent.reuseSocket = (socket, request) => {
    if (now() - (idleSince.get(socket) ?? 0) > surelyOpenMs) doubtful.add(request);
    reuse(socket, request);
  };
  return agent;
}

// Time that passes, not the library's clock: a socket ages by the machine's.
const now = (): number => performance.now();
