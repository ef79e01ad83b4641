#!/usr/bin/env bash
# Node 20.20. Each `AbortController` whose signal is read gives that signal a hidden class of its own: about 6 µs, 18 times what an
# `EventTarget` takes, for code that makes one a call, and much of it outlives the collections of the young. Node 22.23 has one
# class for all of them, and takes a fifteenth. A controller whose signal nobody reads costs next to nothing on both. A good guess
# is that a signal is as cheap as the event target that it is.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
echo '{ "private": true }' > package.json
npm install --silent --no-audit --no-fund node20@npm:node@20.20.2 node22@npm:node@22.23.1
cat > try.mjs <<'JS'
function classes(make) {
  const all = Array.from({ length: 1_000 }, make);
  return %HaveSameMap(all.at(-1), all.at(-2)) ? 'one for all' : 'one each';
}
console.log('event targets:', classes(() => new EventTarget()));
console.log('controllers:', classes(() => new AbortController()));
console.log('signals:', classes(() => new AbortController().signal));
JS
diff <(node_modules/node20/bin/node --allow-natives-syntax --no-warnings try.mjs) - <<'OUTPUT'
event targets: one for all
controllers: one for all
signals: one each
OUTPUT
diff <(node_modules/node22/bin/node --allow-natives-syntax --no-warnings try.mjs) - <<'OUTPUT'
event targets: one for all
controllers: one for all
signals: one for all
OUTPUT
