import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import * as undici from 'undici';
import * as undici6 from 'undici-6';
import { isFetchConfigured } from '../../../src/transports/cloudflare/node-configured.ts';
import { wire } from '../../../src/transports/cloudflare/node-wire.ts';
import { answer, RawServer } from '../../contract-suites/raw-server.ts';

let server: RawServer;

beforeAll(async () => {
  server = await RawServer.listen((socket) => socket.write(answer('x')));
});

afterAll(() => server[Symbol.asyncDispose]());

async function ask(): Promise<string> {
  const { signal } = new AbortController();
  return (await wire(server.url, { method: 'GET', headers: new Headers(), redirect: 'manual', signal })).text();
}

// The older first: it leaves alone what the newer sets for those that are newer still.
describe.each([
  ['6', undici6 as unknown as typeof undici],
  ['7', undici],
])('wire() beside undici %s', (_, { Agent, MockAgent, Pool, ProxyAgent, RetryAgent, setGlobalDispatcher }) => {
  class Derived extends Agent {}

  it('goes by node:http while the dispatcher is what it is by default', async () => {
    setGlobalDispatcher(new Agent());
    expect(isFetchConfigured()).toBe(false);
    await (await fetch(server.url)).text();
    await ask();
    expect(isFetchConfigured()).toBe(false);
    expect(server.requests.at(-1)).not.toContain('sec-fetch-mode');
  });

  it.each<[string, () => undici.Dispatcher]>([
    ['with an option', () => new Agent({ keepAliveTimeout: 5 })],
    ['with options of its connections', () => new Agent({ connect: { timeout: 900 } })],
    ['with connections of its own', () => new Agent({ factory: (origin) => new Pool(origin) })],
    ['with interceptors', () => new Agent().compose((dispatch) => (options, handler) => dispatch(options, handler))],
    ['with a method of its own', () => Object.assign(new Agent(), { dispatch: vi.fn<undici.Agent['dispatch']>() })],
    ['with a listener', () => new Agent().on('connect', () => undefined)],
    ['of a derived class', () => new Derived()],
    ['of another class', () => new RetryAgent(new Agent())],
    ['of no class', () => ({ dispatch: () => true }) as unknown as undici.Dispatcher],
  ])('goes by fetch when somebody set a dispatcher %s', (__, make) => {
    setGlobalDispatcher(make());
    expect(isFetchConfigured()).toBe(true);
  });

  it('goes through the proxy of a dispatcher', async () => {
    const tunnels: unknown[] = [];
    const proxy = createServer().on('connect', ({ url }, socket) => {
      tunnels.push(url);
      const onward = connect(server.port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.pipe(onward).pipe(socket);
      });
    });
    await new Promise<void>((resolve) => {
      proxy.listen(0, '127.0.0.1', resolve);
    });
    const agent = new ProxyAgent({
      uri: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
      proxyTunnel: true,
    });
    setGlobalDispatcher(agent);
    expect(await ask()).toBe('x');
    expect(tunnels).toEqual([`127.0.0.1:${server.port}`]);
    await agent.destroy();
    proxy.close();
  });

  it('is answered by a dispatcher of a mock', async () => {
    const agent = new MockAgent();
    agent.disableNetConnect();
    agent.get(server.url.slice(0, -1)).intercept({ path: '/', method: 'GET' }).reply(200, 'mocked');
    setGlobalDispatcher(agent);
    expect(await ask()).toBe('mocked');
  });
});
