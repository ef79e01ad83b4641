#!/usr/bin/env bash
# Readable of Node 20.20.2 and 22.23.3. destroy() stops nothing that is in the stream's buffer: a flowing stream that is
# destroyed, by a 'data' listener or right after resume(), still emits 'data' for all of it, with `destroyed` true, and read()
# gives it, until 'close'. A good guess is that nothing comes after destroy(), so that it may be given to somebody else.
# A loop of `for await` over the same stream ends at once.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
echo '{ "private": true }' > package.json
npm install --silent --no-audit --no-fund node20@npm:node@20.20.2 node22@npm:node@22.23.3
cat > try.mjs <<'JS'
import { Readable } from 'node:stream';
const turn = () => new Promise((resolve) => setImmediate(resolve));
function open() {
  const stream = new Readable({ objectMode: true, read() {} });
  for (const item of [1, 2, 3]) stream.push(item);
  return stream;
}
async function flow(destroy) {
  const log = [];
  const stream = open();
  stream.on('data', (item) => log.push(`${item}${stream.destroyed ? ' after' : ''}`)).on('close', () => log.push('close'));
  destroy(stream);
  await turn();
  return log.join(', ');
}
console.log(await flow((stream) => stream.once('data', () => stream.destroy())));
console.log(await flow((stream) => stream.resume().destroy()));
const read = open();
read.destroy();
console.log(`read() gives ${read.read()}`);
const log = [];
const looped = open();
try {
  for await (const item of looped) {
    log.push(item);
    looped.destroy();
  }
} catch (error) {
  log.push(error.code);
}
console.log(log.join(', '));
JS
for node in node20 node22; do
  diff <("node_modules/$node/bin/node" try.mjs) - <<'OUTPUT'
1, 2 after, 3 after, close
1 after, 2 after, 3 after, close
read() gives 1
1, ERR_STREAM_PREMATURE_CLOSE
OUTPUT
done
