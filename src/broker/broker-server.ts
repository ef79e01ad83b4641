import type { AsyncDisposal } from '../contract/async-disposal.ts';
import type { ApiHandler } from './http/api-exchange.ts';
import type { ListenOptions } from './http/listen.ts';
import { checkReach } from './http/loopback.ts';
import { basePath } from './http/routes.ts';
import type { QueueSettings } from './queue/settings.ts';
import type { QueueConnection } from './queue-connection.ts';

/** A broker on a socket. */
export interface BrokerServer extends AsyncDisposal {
  /** Where it listens, 1..65 535. */
  readonly port: number;
  /** `http://127.0.0.1:<port>/client/v4` */
  readonly baseUrl: string;
  /** The broker's account. */
  readonly accountId: string;
  /** What it lets in. */
  readonly apiToken: string;
  /** As {@link Broker.queue}, over the socket. */
  queue(name: string, settings?: QueueSettings): QueueConnection;
  /** Ends the socket and all its connections; answers that are being made still go out. The broker goes on. */
  close(): Promise<void>;
}

/** What a socket takes of a broker. */
export interface ServedBroker {
  readonly accountId: string;
  readonly apiToken: string;
  /** Answers a request. */
  readonly handle: ApiHandler;
  /** Opens a queue for clients that come by that base URL. */
  readonly connect: (name: string, settings: QueueSettings | undefined, baseUrl: string) => QueueConnection;
}

/** Has a broker answer on a socket. */
export async function serveBroker(broker: ServedBroker, options?: ListenOptions): Promise<BrokerServer> {
  const { accountId, apiToken, handle, connect } = broker;
  if (options?.host !== undefined) checkReach(options.host, apiToken);
  // Not a static import: it needs node:http, and everything else here runs anywhere.
  const { listen } = await import('./http/listen.ts');
  const { port, origin, close } = await listen(handle, options);
  const baseUrl = `${origin}${basePath}`;
  const queue = (name: string, settings?: QueueSettings): QueueConnection => connect(name, settings, baseUrl);
  return { port, baseUrl, accountId, apiToken, queue, close, [Symbol.asyncDispose]: close };
}
