// Reads a queue by a fetch that is made of another HTTP client, and prints how that went, as JSON: with the right
// credential, and with one that the broker refuses.
// Started with: the path of the built library, of the built broker, and the name of the client.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [library, brokerModule, name] = process.argv.slice(2);
const require = createRequire(new URL('packages/package.json', import.meta.url));
const load = (client) => import(pathToFileURL(require.resolve(client)).href);
const { openQueue } = await import(pathToFileURL(library).href);
const { createBroker } = await import(pathToFileURL(brokerModule).href);

const broker = createBroker({ queues: { jobs: {} } });
const server = await broker.listen();
/** Those that intercept answer for the broker. */
const answer = (url, init) => broker.fetch(url, init);
const fields = (headers) => Object.fromEntries(headers);

const clients = {
  ky: async () => (await load('ky')).default,
  'ky, which does not throw': async () => {
    const { default: ky } = await load('ky');
    return (url, init) => ky(url, { ...init, throwHttpErrors: false, retry: 0 });
  },
  got: async () => {
    const { default: got } = await load('got');
    return async (url, { method, headers, body, signal }) => {
      const options = { method, headers: fields(headers), signal, followRedirect: false, retry: { limit: 0 } };
      const response = await got(url, body === undefined ? options : { ...options, body });
      return new Response(response.body, { status: response.statusCode });
    };
  },
  'ofetch.raw': async () => {
    const { ofetch } = await load('ofetch');
    return ofetch.raw;
  },
  'ofetch.raw of a stream': async () => {
    const { ofetch } = await load('ofetch');
    return (url, init) => ofetch.raw(url, { ...init, responseType: 'stream' });
  },
  axios: async () => {
    const axios = require('axios');
    return async (url, { method, headers, body, signal }) => {
      const rest = { responseType: 'text', transformResponse: (text) => text, maxRedirects: 0 };
      const response = await axios({ url, method, headers: fields(headers), data: body, signal, ...rest });
      return new Response(response.data, { status: response.status });
    };
  },
  "axios' fetch adapter": async () => {
    const axios = require('axios');
    return async (url, { method, headers, body, signal }) => {
      const rest = { adapter: 'fetch', responseType: 'text', transformResponse: (text) => text };
      const response = await axios({ url, method, headers: fields(headers), data: body, signal, ...rest });
      return new Response(response.data, { status: response.status });
    };
  },
  'node-fetch': async () => (await load('node-fetch')).default,
  undici: async () => require('undici').fetch,
  'undici.request': async () => {
    const { request } = require('undici');
    return async (url, { method, headers, body, signal }) => {
      const { statusCode, headers: given, body: text } = await request(url, { method, headers, body, signal });
      return { status: statusCode, headers: new Headers(given), text: () => text.text() };
    };
  },
  msw: async () => {
    const { setupServer } = require('msw/node');
    const { http } = require('msw');
    const { protocol, host } = new URL(server.baseUrl);
    const url = `${protocol}//${host}/*`;
    setupServer(http.all(url, ({ request }) => answer(request))).listen({ onUnhandledRequest: 'error' });
    await server.close();
    return undefined;
  },
  nock: async () => {
    const { default: nock } = require('nock');
    const reply = async (request) => {
      const response = await answer(request);
      return [response.status, await response.text()];
    };
    nock(new URL(server.baseUrl).origin).persist().post(/.*/).reply(reply);
    await server.close();
    return undefined;
  },
  'a stub': async () => {
    const calls = [];
    return (url, init) => {
      calls.push(url);
      return answer(url, init);
    };
  },
  "a Worker's service binding": async () => {
    const binding = {
      fetch(input, init) {
        // As there: only as a method of the binding.
        if (this !== binding) throw new TypeError('Illegal invocation');
        return fetch(input, init);
      },
    };
    const env = { API: binding };
    return (url, init) => env.API.fetch(new Request(url, init));
  },
};

const fetch_ = await clients[name]();
const connection = { ...server.queue('jobs'), ...(fetch_ && { fetch: fetch_ }) };

async function read(credential) {
  broker.push('jobs', { body: 'x' });
  const queue = openQueue({ ...connection, ...credential });
  const began = performance.now();
  try {
    const { acked, reason } = await queue.process(() => undefined, { stopWhenEmpty: true, visibilityTimeoutMs: 5_000 });
    return { acked, reason };
  } catch (error) {
    return { code: error.code, status: error.status, isSoon: performance.now() - began < 4_000 };
  }
}

const granted = await read({});
const refused = await read({ apiToken: 'wrong' });
console.log(JSON.stringify({ granted, refused }));
process.exit();
