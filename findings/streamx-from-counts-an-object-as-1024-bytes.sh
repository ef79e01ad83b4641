#!/usr/bin/env bash
# streamx 2.28.1. Readable.from(an async iterable of objects) asks it for 17 items while its reader works on the first one.
# The default highWaterMark of 16 384 is in bytes, and an object counts for 1 024 of them: there is no object mode in which it
# would count items, and a highWaterMark of 1, which makes Node's streams lazy, is a byte. Only 0 reads when somebody reads.
# Node's own Readable.from(), from which the name is taken, asks for 2. A good guess is that the two are alike.
# Seen on Node 20.20.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
echo '{ "private": true }' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts streamx@2.28.1
cat > try.mjs <<'JS'
import { Readable } from 'node:stream';
import streamx from 'streamx';
const count = async (make) => {
  let asked = 0;
  async function* items() {
    for (;;) yield { item: (asked += 1) };
  }
  for await (const _ of make(items())) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    return asked;
  }
};
console.log('streamx', await count((items) => streamx.Readable.from(items)));
console.log('streamx, 0', await count((items) => streamx.Readable.from(items, { highWaterMark: 0 })));
console.log('node', await count((items) => Readable.from(items)));
JS
diff <(node try.mjs) - <<'OUTPUT'
streamx 17
streamx, 0 1
node 2
OUTPUT
