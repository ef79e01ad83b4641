#!/usr/bin/env bash
# Node 20.20 and 24 (V8 11.3 and 13.6). A Set, or Map, of a few members that lives for long lets what only passes through it
# grow old: it gets a new table every few additions and deletions, and the old one goes on holding its members of then, and
# the next table. Once one such table has been promoted, each keeps the next alive until a full collection, with all that its
# members lead to. An array that is copied for each change leaves nothing behind. A good guess is that what was deleted from a
# Set is garbage like any other, and dies young. (`clear()` does not help, as it makes a next table, too.)
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
echo '{ "private": true }' > package.json
npm install --silent --no-audit --no-fund node20@npm:node@20.20.2 node24@npm:node@24.18.0
cat > try.mjs <<'JS'
import { GCProfiler } from 'node:v8';
const count = 200_000;
const kinds = {
  set: () => {
    const members = new Set();
    return { add: (one) => members.add(one), delete: (one) => members.delete(one) };
  },
  array: () => {
    let members = [];
    return {
      add: (one) => (members = [...members, one]),
      delete: (one) => (members = members.filter((other) => other !== one)),
    };
  },
};
/** By how many bytes the old space grows for each member, of about 800 bytes, that is there while three others come. */
function promoted(members) {
  const profiler = new GCProfiler();
  const recent = [];
  for (let index = 0; index < count; index += 1) {
    if (index === 1_000) {
      gc();
      profiler.start();
    }
    const one = { payload: Array.from({ length: 100 }, () => index) };
    members.add(one);
    recent.push(one);
    if (recent.length > 3) members.delete(recent.shift());
  }
  let bytes = 0;
  for (const { gcType, beforeGC, afterGC } of profiler.stop().statistics) {
    const used = ({ heapSpaceStatistics: spaces }) => spaces.find(({ spaceName }) => spaceName === 'old_space').spaceUsedSize;
    if (gcType.startsWith('Scavenge')) bytes += used(afterGC) - used(beforeGC);
  }
  return bytes / count;
}
for (const [name, make] of Object.entries(kinds)) console.log(`${name}: ${promoted(make()) > 100 ? 'grows old' : 'dies young'}`);
JS
for node in node20 node24; do
  diff <("node_modules/$node/bin/node" --expose-gc --no-warnings try.mjs) - <<'OUTPUT'
set: grows old
array: dies young
OUTPUT
done
