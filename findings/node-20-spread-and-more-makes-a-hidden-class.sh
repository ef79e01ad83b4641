#!/usr/bin/env bash
# Node 20.20 (V8 11.3). `{ ...object, added }` gives each object that it makes a hidden class of its own, once the code has run a
# few times, and so has what is added to a copy later: it takes many times as long as the same literal written out, all code that
# such objects come to is slow, and the garbage collector keeps much of what was made beyond the young. `{ added, ...object }` and
# `Object.assign({}, object, { added })` have one for all, and so has a spread that is followed by nothing new. Node 22.23 (V8
# 12.4) is free of it. A good guess is that a spread costs as much as writing its properties out, and that the order of a
# literal's parts does not matter.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
echo '{ "private": true }' > package.json
npm install --silent --no-audit --no-fund node20@npm:node@20.20.2 node22@npm:node@22.23.1
cat > try.mjs <<'JS'
const object = { id: 1, name: 'a', size: 2 };
function classes(make) {
  const all = Array.from({ length: 1_000 }, (_, value) => make(value));
  return %HaveSameMap(all.at(-1), all.at(-2)) ? 'one for all' : 'one each';
}
console.log('spread, then more:', classes((added) => ({ ...object, added })));
console.log('two spreads:', classes((added) => ({ ...object, ...{ added } })));
console.log('more, then spread:', classes((added) => ({ added, ...object })));
console.log('spread, then others:', classes((size) => ({ ...object, size })));
console.log('assigned:', classes((added) => Object.assign({}, object, { added })));
JS
diff <(node_modules/node20/bin/node --allow-natives-syntax --no-warnings try.mjs) - <<'OUTPUT'
spread, then more: one each
two spreads: one each
more, then spread: one for all
spread, then others: one for all
assigned: one for all
OUTPUT
diff <(node_modules/node22/bin/node --allow-natives-syntax --no-warnings try.mjs) - <<'OUTPUT'
spread, then more: one for all
two spreads: one for all
more, then spread: one for all
spread, then others: one for all
assigned: one for all
OUTPUT
