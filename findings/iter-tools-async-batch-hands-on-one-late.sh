#!/usr/bin/env bash
# iter-tools 7.5.4. asyncBatch() hands on an item only when the one after it has come, within a batch too: of a source that has
# one item now and the next in an hour, the first is not seen for an hour, and the last one of a live source never. Its batches
# are async iterables, and no others, while its types say that they are iterables: `for…of` compiles, and throws. A good
# guess is that an item, or at least a full batch, is there when it has come. Seen on Node 20.20.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
echo '{ "private": true }' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts iter-tools@7.5.4 typescript@7.0.2
cat > try.mjs <<'JS'
import { asyncBatch } from 'iter-tools';
const log = [];
async function* items() {
  for (const item of [1, 2, 3]) {
    log.push(`take ${item}`);
    yield item;
  }
  log.push('end');
}
for await (const batch of asyncBatch(2, items())) {
  log.push(Symbol.iterator in batch ? 'iterable' : 'not iterable');
  for await (const item of batch) log.push(`got ${item}`);
}
console.log(log.join(', '));
JS
cat > typed.mts <<'TS'
import { asyncBatch } from 'iter-tools';
declare const items: AsyncIterable<number>;
for await (const batch of asyncBatch(2, items)) for (const item of batch) item.toFixed();
TS
node node_modules/typescript/bin/tsc --noEmit --target es2022 --module nodenext --skipLibCheck typed.mts
diff <(node try.mjs) - <<'OUTPUT'
take 1, not iterable, take 2, got 1, take 3, got 2, not iterable, end, got 3
OUTPUT
