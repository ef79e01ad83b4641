#!/usr/bin/env bash
# rxjs 7.8.2 on Node 20.20 and 24 (V8 11.3 and 13.6). `Subscription.add()` keeps teardowns in an array literal. When most of a
# program's first subscriptions outlive a collection of the young, as those of a burst that waits for an answer do, V8 makes
# the arrays of all later ones among the old. There each ended subscription holds on to its teardown, and to all that this
# leads to, until a full collection: what passes through in a moment is promoted, though nothing holds it. A good guess is that
# an inner observable that has ended and was unsubscribed from, as that of each `mergeMap` with a `finalize`, is garbage that
# dies young, and that how the program began makes no difference. (500 000 objects that stay stand for a program's own: where
# nearly all of the old dies, V8 changes its mind.)
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
echo '{ "private": true }' > package.json
npm install --silent --no-audit --no-fund rxjs@7.8.2 node20@npm:node@20.20.2 node24@npm:node@24.18.0
cat > try.mjs <<'JS'
import { GCProfiler } from 'node:v8';
import { finalize, from, mergeMap, Subject } from 'rxjs';
export const kept = Array.from({ length: 500_000 }, (_, index) => ({ index, name: `name of ${index}` }));
let holds = process.argv[2] === 'burst';
const held = [];
let ended = 0;
const work = new Subject();
const handle = async ({ payload }) => {
  if (holds) await new Promise((resolve) => held.push(resolve));
  return payload.length;
};
work.pipe(mergeMap((item) => from(handle(item)).pipe(finalize(() => (ended += item.payload.length))))).subscribe();
/** By how many bytes the old space grows in collections of the young, for each item of about 800 bytes. */
async function run(times, together) {
  const profiler = new GCProfiler();
  profiler.start();
  for (let left = times; left > 0; left -= 1) {
    for (let index = 0; index < together; index += 1) work.next({ payload: Array.from({ length: 100 }, () => index) });
    await new Promise(setImmediate);
  }
  let bytes = 0;
  for (const { gcType, beforeGC, afterGC } of profiler.stop().statistics) {
    const used = ({ heapSpaceStatistics: spaces }) => spaces.find(({ spaceName }) => spaceName === 'old_space').spaceUsedSize;
    if (gcType.startsWith('Scavenge')) bytes += used(afterGC) - used(beforeGC);
  }
  return bytes / (times * together);
}
await run(100, 500);
holds = false;
for (const resolve of held.splice(0)) resolve();
await new Promise((resolve) => setTimeout(resolve, 200));
await run(500, 100);
console.log(`after a ${process.argv[2]}: ${(await run(1_500, 100)) > 100 ? 'grows old' : 'dies young'}`);
JS
for node in node20 node24; do
  diff <(for start in calm burst; do "node_modules/$node/bin/node" --no-warnings try.mjs "$start"; done) - <<'OUTPUT'
after a calm: dies young
after a burst: grows old
OUTPUT
done
