import { readFileSync } from 'node:fs';
import { createServer as createSecureServer } from 'node:https';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import type { QueueConnection } from '../../src/broker.ts';
import { expired } from '../contract-suites/expired.ts';
import { selfSigned } from '../contract-suites/self-signed.ts';
import { listen } from '../proxies/listen.ts';

const proxies = join(import.meta.dirname, '../proxies');
const ofAnother = {
  key: readFileSync(join(proxies, 'key.pem'), 'utf8'),
  cert: readFileSync(join(proxies, 'certificate.pem'), 'utf8'),
};

/** What is trusted, where that can be said, so that nothing else is wrong with these. */
export const trusted: string = `${expired.cert}\n${ofAnother.cert}`;

/** Where no queue is to be had, each in a way of its own. */
export interface Refusing extends AsyncDisposable {
  readonly addresses: Readonly<Record<string, QueueConnection>>;
}

export async function listenRefusing(): Promise<Refusing> {
  const servers = {
    'a certificate that is self-signed': createSecureServer(selfSigned),
    'a certificate that has expired': createSecureServer(expired),
    'a certificate of another host': createSecureServer(ofAnother),
    'a redirect': createServer((request, response) => {
      // Whoever is allowed nothing does not get as far.
      const allowed = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*, authorization' };
      response.writeHead(request.method === 'OPTIONS' ? 204 : 302, { ...allowed, location: '/login' }).end();
    }),
  };
  const addresses: Record<string, QueueConnection> = {};
  const at = (baseUrl: string): QueueConnection => ({
    accountId: 'a',
    queueId: 'q',
    queueName: 'q',
    apiToken: 'secret-token',
    baseUrl,
  });
  for (const [name, server] of Object.entries<Server>(servers)) {
    const port = await listen(server);
    addresses[name] = at(`${name.includes('certificate') ? 'https' : 'http'}://localhost:${port}`);
  }
  addresses['a host that does not exist'] = at('https://nobody.invalid');
  addresses['a port that `fetch` blocks'] = at('http://127.0.0.1:6000');
  addresses['a host that refuses to connect'] = at('http://127.0.0.1:9998');
  const dispose = async (): Promise<void> => {
    for (const server of Object.values<Server>(servers)) server.close().closeAllConnections();
  };
  return { addresses, [Symbol.asyncDispose]: dispose };
}
