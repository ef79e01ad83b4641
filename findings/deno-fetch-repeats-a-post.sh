#!/usr/bin/env bash
# Deno 2.9.6. When a connection that was kept ends before the answer, its fetch makes the request again by itself, a POST too,
# although the server has read it whole: it arrives twice, and the caller sees one answer. It does not for a body that is a
# Blob, which it can read but once. The fetch of Node 22.23 and Bun 1.4.5 sends each once. A good guess is that a POST is never
# repeated, since RFC 9110 (9.2.2) lets a client do so only where it knows that the request was not worked on.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
echo '{ "private": true }' > package.json
npm install --silent --no-audit --no-fund deno@2.9.6
cat > try.mjs <<'JS'
import { createServer } from 'node:http';
const read = [];
const server = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  read.push(body);
  // A connection ends at its second request.
  if ((request.socket.requests = (request.socket.requests ?? 0) + 1) === 2) request.socket.destroy();
  else response.end();
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${server.address().port}`;
const post = (body) => fetch(url, { method: 'POST', body }).then((response) => response.text());
for (const body of ['first', 'text']) await post(body);
console.log(read.join(' '));
read.length = 0;
const outcome = await post(new Blob(['blob'])).then(() => 'answered', () => 'failed');
console.log(read.join(' '), outcome);
server.closeAllConnections();
server.close();
JS
diff <(npx --no-install deno run --quiet --allow-net try.mjs) - <<'OUTPUT'
first text text
blob failed
OUTPUT
