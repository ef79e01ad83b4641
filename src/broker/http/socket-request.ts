import type { IncomingMessage } from 'node:http';
import type { ApiRequest } from './api-exchange.ts';
import { edgeRefusals } from './edge-refusals.ts';
import { passTurns } from '../time/event-loop-turn.ts';
import { isLoopback } from './loopback.ts';
import { refusals } from './refusal.ts';
import { maxRequestBytes, tooLarge } from './request-text.ts';
import { methodsAt } from './routes.ts';

/** What is there of a body, or is on its way. */
type Content = Buffer<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>> | null;

/** A request that came over a socket. Its body is read when somebody asks for it. */
export class SocketRequest implements ApiRequest {
  readonly method: string;
  readonly #incoming: IncomingMessage;
  readonly #target: URL;
  readonly #content: Content;

  constructor(incoming: IncomingMessage, target: URL, content: Content) {
    this.method = incoming.method ?? 'GET';
    this.#incoming = incoming;
    this.#target = target;
    this.#content = content;
  }

  get url(): string {
    return this.#target.href;
  }

  readonly headers: ApiRequest['headers'] = {
    get: (name) => {
      const value = this.#incoming.headers[name.toLowerCase()];
      return value === undefined ? null : String(value);
    },
  };

  get body(): ApiRequest['body'] {
    return new Response(this.#content).body;
  }

  async text(): Promise<string> {
    const content = this.#content;
    return content instanceof Buffer ? new TextDecoder().decode(content) : new Response(content).text();
  }

  /** The same as the platform has it, at many times the cost. */
  toRequest(): Request {
    const { method } = this;
    const headers = Object.entries(this.#incoming.headers).map(([name, value]): [string, string] => [
      name,
      String(value),
    ]);
    const request = new Request(this.url, { method, headers, body: this.#content, duplex: 'half' });
    if (!isPath(this.#incoming)) request.headers.set('host', this.#target.host);
    return request;
  }
}

/**
 * Reads the head of a request that came over a socket.
 *
 * @param host - the one that is listened on
 * @param onRead - called before a body is read that is still on its way
 * @throws Refusal of what is none that this server may answer
 */
export async function readRequest(incoming: IncomingMessage, host: string, onRead: () => void): Promise<SocketRequest> {
  const { method = 'GET', headers } = incoming;
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') throw edgeRefusals.transferCoding();
  checkHost(incoming);
  const target = targetOf(incoming, host);
  // There is no Request with these.
  if (method === 'TRACE' || method === 'CONNECT') {
    throw refusals.methodNotAllowed(method, methodsAt(target.pathname));
  }
  const hasBody = method !== 'GET' && method !== 'HEAD';
  return new SocketRequest(incoming, target, hasBody ? await contentOf(incoming, onRead) : null);
}

function isPath({ url = '' }: IncomingMessage): boolean {
  return url.startsWith('/');
}

function checkHost({ rawHeaders, httpVersion }: IncomingMessage): void {
  const hosts = rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'host');
  const [host] = hosts;
  if (host === undefined && httpVersion === '1.0') return;
  if (hosts.length !== 1 || !/^(?:[\w.~-]+|\[[\da-f:.]+\])(?::\d+)?$/i.test(host ?? '')) throw edgeRefusals.host();
}

function targetOf(incoming: IncomingMessage, host: string): URL {
  const { method, url = '' } = incoming;
  // The path is all that counts; what the client called this host does not.
  if (isPath(incoming)) return new URL(`http://broker.invalid${url}`);
  if (method === 'OPTIONS' && url === '*') throw refusals.methodNotAllowed(method, methodsAt(undefined));
  if (!URL.canParse(url)) throw edgeRefusals.target();
  const target = new URL(url);
  if (!isOwn(target, incoming, host)) throw edgeRefusals.misdirected();
  return target;
}

/** Whether an absolute target is this server: who takes it for a proxy asks for others, too. */
function isOwn(target: URL, { socket }: IncomingMessage, host: string): boolean {
  const { localAddress = '', localPort } = socket;
  const { protocol, username, password } = target;
  if (protocol !== 'http:' || username !== '' || password !== '' || Number(target.port || 80) !== localPort)
    return false;
  const name = bare(target.hostname);
  const address = bare(localAddress);
  return name === address || name === bare(host) || (isLoopback(name) && isLoopback(address));
}

function bare(host: string): string {
  return host.toLowerCase().replaceAll(/^\[|\]$|^::ffff:(?=\d+\.)/g, '');
}

async function contentOf(incoming: IncomingMessage, onRead: () => void): Promise<Content> {
  // A small body comes with its head, and is there a turn later: at a fraction of what a stream costs.
  await passTurns(1);
  return incoming.complete ? (incoming.read() as Buffer<ArrayBuffer> | null) : streamOf(incoming, onRead);
}

function streamOf(incoming: IncomingMessage, onRead: () => void): ReadableStream<Uint8Array<ArrayBuffer>> {
  let chunks: AsyncIterator<Buffer<ArrayBuffer>> | undefined;
  let bytes = Number(incoming.headers['content-length'] ?? 0);
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        if (chunks === undefined) {
          if (bytes > maxRequestBytes) throw tooLarge();
          onRead();
          bytes = 0;
          chunks = (incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer<ArrayBuffer>>)[
            Symbol.asyncIterator
          ]();
        }
        const next = await chunks.next();
        if (next.done === true) return controller.close();
        const { value } = next;
        bytes += value.length;
        if (bytes <= maxRequestBytes) return controller.enqueue(value);
        await chunks.return?.();
        throw tooLarge();
      },
      cancel: async () => void (await chunks?.return?.()),
    },
    { highWaterMark: 0 },
  );
}
