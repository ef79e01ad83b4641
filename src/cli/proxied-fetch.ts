import { Buffer } from 'node:buffer';
import type * as undiciModule from 'undici';
import type { Dispatcher, Pool, ProxyAgent } from 'undici';
import { isLoopback } from '../transports/cloudflare/base-url.ts';
import { findProxy, proxyHint, proxyingRuntime } from '../transports/cloudflare/environment-proxy.ts';
import type { Fetch } from '../transports/cloudflare/fetch.ts';
import type { CloudflareConnection, Environment } from '../transports/cloudflare/options.ts';

type Undici = typeof undiciModule;
type Connect = (request: Dispatcher.ConnectOptions) => Promise<Dispatcher.ConnectData>;

/**
 * The connection through the proxy that the environment names for its address, if there is one. A loopback address is
 * this machine to us and another one to the proxy, so that it is reached without.
 *
 * @throws TypeError when the variable holds no address of a proxy; its message holds no credential
 */
export function throughProxy(connection: CloudflareConnection, environment: Environment): CloudflareConnection {
  const read = (name: string): string | undefined => environment[name];
  const url = new URL(connection.baseUrl);
  const proxy = isLoopback(url.hostname) ? undefined : findProxy(url, read, true);
  if (proxy === undefined) {
    // The runtime's own fetch may go where we would not.
    const isRuntimes = proxyingRuntime(read) === undefined;
    return isRuntimes ? connection : { ...connection, fetch: fetchBy(({ Agent }) => new Agent()), wayHint: '' };
  }
  if (proxy.url === undefined || !['http:', 'https:'].includes(proxy.url.protocol)) {
    throw new TypeError(
      `Cannot use the proxy of ${proxy.variable} as it must be http://HOST:PORT or https://HOST:PORT: current value is not shown`,
    );
  }
  const { origin } = proxy.url;
  const { auth, secrets } = credentialOf(proxy.url);
  return {
    ...connection,
    secrets: [...connection.secrets, ...secrets],
    fetch: fetchBy((undici) => new undici.ProxyAgent({ uri: origin, ...auth, clientFactory: tunnelsOf(undici) })),
    wayHint: proxyHint(proxy, url),
  };
}

/** A fetch of its own, since the runtime's may be too old for the dispatcher. Loads nothing before it is called. */
function fetchBy(makeDispatcher: (undici: Undici) => Dispatcher): Fetch {
  const load = async (): Promise<Fetch> => {
    const undici = await import('undici');
    const dispatcher = makeDispatcher(undici);
    return (url, init) => undici.fetch(url, { ...init, headers: [...init.headers], dispatcher });
  };
  let loaded: Promise<Fetch> | undefined;
  return async (url, init) => {
    loaded ??= load();
    return (await loaded)(url, init);
  };
}

interface ProxyCredential {
  /** What the proxy is told. */
  readonly auth: Pick<ProxyAgent.Options, 'token'>;
  /** What nobody else may see of it. */
  readonly secrets: readonly string[];
}

/** By hand, since undici sends no name that comes without a password, and no percent sign that nobody encoded. */
function credentialOf({ username, password }: URL): ProxyCredential {
  if (username === '' && password === '') return { auth: {}, secrets: [] };
  const [name, word] = [decode(username), decode(password)];
  const encoded = Buffer.from(`${name}:${word}`).toString('base64');
  // A name alone is a token.
  const secrets = word === '' ? [username, name] : [password, word];
  return { auth: { token: `Basic ${encoded}` }, secrets: [...secrets, encoded] };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Connections to the proxy that fail in words, and once: undici 7.30 by itself may go on asking. */
function tunnelsOf({ Pool }: Undici): (origin: URL, options: object) => Dispatcher {
  return (origin, options) => {
    const pool = new Pool(origin, options);
    const connect: Connect = pool.connect.bind(pool);
    return Object.assign(pool, {
      connect: async (request: Dispatcher.ConnectOptions): ReturnType<Connect> => {
        const answer = await connect(request).catch(throwPlain);
        if (answer.statusCode === 200) return answer;
        answer.socket.on('error', () => undefined).destroy();
        throw new Error(
          `the proxy answered with ${answer.statusCode}${answer.statusCode === 407 ? credentialHint : ''}`,
        );
      },
    } as Pick<Pool, 'connect'>);
  };
}

const credentialHint = ', as it wants a credential, or another one: http://USER:PASSWORD@HOST:PORT';

function throwPlain(error: unknown): never {
  const isEnd = error instanceof Error && 'code' in error && error.code === 'UND_ERR_SOCKET';
  throw isEnd ? new Error('the proxy ended the connection without an answer', { cause: error }) : error;
}
