#!/bin/sh
# undici 7.30.2 (npm) on Node.js 20.18.1 or newer: NO_PROXY and the loopback address of IPv6.
#
# A good guess: NO_PROXY=::1 keeps http://[::1]:PORT from the proxy, as it does with curl, Bun and Deno, and as the default
# of wrangler 4.86.0, `localhost,127.0.0.1,::1`, means it to.
# Seen: EnvHttpProxyAgent, which is also behind NODE_USE_ENV_PROXY=1 and fetch() of Node.js 24, asks the proxy all the same:
# it reads `::1` as the host `:` with the port 1. Only `[::1]` is heeded, with brackets, which curl 7.88 and Deno 2.9 do not
# heed. So a list that all of them heed has both: `::1,[::1]`.
#
# Exits with 0 while that is so, with 1 when it has changed, with 2 on a machine without IPv6.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund undici@7.30.2

cat >finding.mjs <<'JS'
import { createServer } from 'node:http';
import { once } from 'node:events';
import { connect } from 'node:net';
import { EnvHttpProxyAgent, fetch } from 'undici';

const service = createServer((_, response) => response.end('ok'));
let isAsked = false;
const proxy = createServer().on('connect', (request, socket) => {
  isAsked = true;
  const far = connect(service.address().port, '::1', () => {
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    far.pipe(socket).pipe(far);
  });
});
service.listen(0, '::1').on('error', () => process.exit(2));
proxy.listen(0, '127.0.0.1');
await Promise.all([once(service, 'listening'), once(proxy, 'listening')]);

for (const noProxy of ['', '::1', 'localhost,127.0.0.1,::1', '[::1]', '::1,[::1]']) {
  isAsked = false;
  const dispatcher = new EnvHttpProxyAgent({ httpProxy: `http://127.0.0.1:${proxy.address().port}`, noProxy });
  const answer = await fetch(`http://[::1]:${service.address().port}/`, { dispatcher });
  console.log(`NO_PROXY=${noProxy}: ${await answer.text()}, ${isAsked ? 'through the proxy' : 'directly'}`);
  await dispatcher.destroy();
}
process.exit(0);
JS

cat >expected <<'TEXT'
NO_PROXY=: ok, through the proxy
NO_PROXY=::1: ok, through the proxy
NO_PROXY=localhost,127.0.0.1,::1: ok, through the proxy
NO_PROXY=[::1]: ok, directly
NO_PROXY=::1,[::1]: ok, directly
TEXT
node finding.mjs >seen || exit $?
cat seen
diff expected seen
