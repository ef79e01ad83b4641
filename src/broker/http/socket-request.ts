import type { IncomingMessage } from 'node:http';
import { edgeRefusals } from './edge-refusals.ts';
import { passTurns } from '../time/event-loop-turn.ts';
import { isLoopback } from './loopback.ts';
import { refusals } from './refusal.ts';
import { maxRequestBytes, tooLarge } from './request-text.ts';
import { methodsAt } from './routes.ts';

/**
 * Makes a `Request` of one that came over a socket. Its body is read when somebody asks for it.
 *
 * @param host - the one that is listened on
 * @param onRead - called before a body is read that is still on its way
 * @throws Refusal of what is none that this server may answer
 */
export async function toRequest(incoming: IncomingMessage, host: string, onRead: () => void): Promise<Request> {
  const { method = 'GET', headers } = incoming;
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') throw edgeRefusals.transferCoding();
  checkHost(incoming);
  const target = targetOf(incoming, host);
  // There is no Request with these.
  if (method === 'TRACE' || method === 'CONNECT') {
    throw refusals.methodNotAllowed(method, methodsAt(target.pathname));
  }
  const entries = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
  const init = { method, headers: entries };
  const request = new Request(
    target.href,
    method === 'GET' || method === 'HEAD' ? init : await withBody(incoming, init, onRead),
  );
  if (!isPath(incoming)) request.headers.set('host', target.host);
  return request;
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

type Init = Readonly<{ method: string; headers: [string, string][] }>;

async function withBody(incoming: IncomingMessage, init: Init, onRead: () => void): Promise<RequestInit> {
  // A small body comes with its head, and is there a turn later: at a fraction of what a stream costs.
  await passTurns(1);
  if (!incoming.complete) return { ...init, body: streamOf(incoming, onRead), duplex: 'half' };
  const body = incoming.read() as Buffer | null;
  return body === null ? init : { ...init, body };
}

function streamOf(incoming: IncomingMessage, onRead: () => void): ReadableStream<Uint8Array> {
  let chunks: AsyncIterator<Buffer> | undefined;
  let bytes = Number(incoming.headers['content-length'] ?? 0);
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (chunks === undefined) {
          if (bytes > maxRequestBytes) throw tooLarge();
          onRead();
          bytes = 0;
          chunks = (incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
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
