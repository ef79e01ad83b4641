import { execFile } from 'node:child_process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type BrokerServer, createBroker } from '../../src/broker.ts';
import { ConnectProxy } from '../proxies/connect-proxy.ts';
import { certificateFile, secureHost, SecureFront } from '../proxies/secure-front.ts';
import { type BuiltPackage, buildPackage } from './built-package.ts';

let built: BuiltPackage;
let server: BrokerServer;
let front: SecureFront;
let proxy: ConnectProxy;

beforeAll(async () => {
  built = await buildPackage();
}, 60_000);

afterAll(() => built[Symbol.asyncDispose]());

beforeEach(async () => {
  server = await createBroker({ queues: { jobs: {} } }).listen();
  front = await SecureFront.before(server.baseUrl);
  proxy = await ConnectProxy.listen({ port: front.port });
});

afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  await front[Symbol.asyncDispose]();
  await server.close();
});

const directory = import.meta.dirname;

/** Sends a message to a service of a name that only the proxy knows, in a process of its own. Gives what is said. */
function send(queue: string, environment: Readonly<Record<string, string>> = {}): Promise<string> {
  const { accountId, queueId, apiToken } = server.queue('jobs');
  const where = { accountId, queueId, apiToken, baseUrl: `https://${secureHost}/client/v4` };
  const source = `
    import { createCloudflareTransport } from ${JSON.stringify(built.module('cloudflare'))};
    import * as undici from 'undici';
    const where = ${JSON.stringify(where)};
    ${queue}
    try {
      await transport.push({ body: { id: 1 }});
      console.log('sent');
    } catch (error) {
      console.log(String(error));
    }`;
  const variables = {
    PATH: process.env['PATH'],
    NODE_EXTRA_CA_CERTS: certificateFile,
    HTTPS_PROXY: proxy.url('user:sekret'),
  };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--input-type=module', '--eval', source],
      { cwd: directory, env: { ...variables, ...environment } },
      (_, stdout, stderr) => resolve((stdout + stderr).trim()),
    );
  });
}

const authorization = `Basic ${Buffer.from('user:sekret').toString('base64')}`;
const tunnel = { method: 'CONNECT', target: `${secureHost}:443`, authorization };

describe('a transport', () => {
  it.each(['new undici.ProxyAgent(process.env.HTTPS_PROXY)', 'new undici.EnvHttpProxyAgent()'])(
    'goes through a proxy by the fetch that it is given: %s',
    async (dispatcher) => {
      const text = await send(`
        const dispatcher = ${dispatcher};
        const fetch = (url, init) => undici.fetch(url, { ...init, headers: [...init.headers], dispatcher });
        const transport = createCloudflareTransport({ ...where, fetch });`);
      expect([text, proxy.requests]).toEqual(['sent', [tunnel]]);
    },
  );

  const plain = 'const transport = createCloudflareTransport(where);';

  it('goes through a proxy where Node does by itself, which an older one does not', async () => {
    const doesNode = process.allowedNodeEnvironmentFlags.has('--use-env-proxy');
    const text = await send(plain, { NODE_USE_ENV_PROXY: '1' });
    const outcome = doesNode ? ['sent', [tunnel]] : [expect.stringMatching(/no answer from queues\.test/), []];
    expect([text, proxy.requests]).toEqual(outcome);
  });

  it('names the proxy only where Node goes through it', async () => {
    const doesNode = process.allowedNodeEnvironmentFlags.has('--use-env-proxy');
    const HTTPS_PROXY = 'http://user:sekret@127.0.0.1:1';
    const text = await send(plain, { NODE_USE_ENV_PROXY: '1', HTTPS_PROXY });
    expect(text.includes('the proxy 127.0.0.1:1 of HTTPS_PROXY')).toBe(doesNode);
    expect(text).not.toMatch(/sekret|user/);
    expect(await send(plain, { HTTPS_PROXY })).not.toContain('proxy');
  });
});
