#!/bin/sh
# undici 7.30.2 (npm) on Node.js 20.18.1 or newer: a proxy's address with a user and no password, as
# `http://token@proxy:3128`, which is how proxies that take a token want it.
#
# A good guess: the proxy is sent `Proxy-Authorization: Basic base64("token:")`, as curl, Bun and the http.get() of Node.js 24 do.
# Seen: ProxyAgent and EnvHttpProxyAgent send no Proxy-Authorization at all, and say nothing of it; such a proxy answers
# 407, and fetch() then fails with `Request was cancelled.`, the 407 being in the cause of its cause. With a password,
# or with the option `token`, the header is sent.
#
# Exits with 0 while that is so, with 1 when it has changed.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund undici@7.30.2

cat >finding.mjs <<'JS'
import { createServer } from 'node:http';
import { once } from 'node:events';
import { EnvHttpProxyAgent, fetch, ProxyAgent } from 'undici';

const seen = [];
const proxy = createServer().on('connect', (request, socket) => {
  seen.push(request.headers['proxy-authorization'] ?? 'nothing');
  socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
});
proxy.listen(0, '127.0.0.1');
await once(proxy, 'listening');
const host = `127.0.0.1:${proxy.address().port}`;

async function ask(name, dispatcher) {
  const error = await fetch('https://example.com/', { dispatcher }).catch((each) => each);
  const texts = [error, error.cause, error.cause?.cause].map((each) => each?.message);
  console.log(`${name}: ${seen.pop()} | ${texts.join(' | ')}`);
  await dispatcher.destroy();
}

await ask('token@', new ProxyAgent(`http://token@${host}`));
await ask('token@ of the environment', new EnvHttpProxyAgent({ httpsProxy: `http://token@${host}` }));
await ask('user:pass@', new ProxyAgent(`http://user:pass@${host}`));
await ask('the option', new ProxyAgent({ uri: `http://${host}`, token: `Basic ${btoa('token:')}` }));
proxy.close();
JS

cat >expected <<'TEXT'
token@: nothing | fetch failed | Request was cancelled. | Proxy response (407) !== 200 when HTTP Tunneling
token@ of the environment: nothing | fetch failed | Request was cancelled. | Proxy response (407) !== 200 when HTTP Tunneling
user:pass@: Basic dXNlcjpwYXNz | fetch failed | Request was cancelled. | Proxy response (407) !== 200 when HTTP Tunneling
the option: Basic dG9rZW46 | fetch failed | Request was cancelled. | Proxy response (407) !== 200 when HTTP Tunneling
TEXT
node finding.mjs | tee seen
diff expected seen
