#!/usr/bin/env bash
# rxjs 7.8.2 and 8.0.0-alpha.14, symbol-observable 4.0.0. An object with a method '@@observable', which was made before
# anything defined Symbol.observable, and which can also be iterated. Whether rxjs.from() subscribes to it or iterates it
# depends on when a polyfill is loaded: rxjs 7 looks for Symbol.observable once, when it is loaded itself, and for
# '@@observable' only if there was none; the alpha of rxjs 8 looks at each call. So it is read as another kind of source
# after an import that has nothing to do with it, and 7 and 8 disagree. A good guess is that both names are tried.
# Seen on Node 20.20.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
echo '{ "private": true }' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts rxjs@7.8.2 rxjs8@npm:rxjs@8.0.0-alpha.14 symbol-observable@4.0.0
cat > try.cjs <<'JS'
const [name, ...order] = process.argv.slice(2);
const source = {
  '@@observable': () => ({ subscribe: (observer) => (observer.next('subscribed to'), observer.complete()) }),
  async *[Symbol.asyncIterator]() {
    yield 'iterated';
  },
};
let rxjs;
for (const step of order) step === 'rxjs' ? (rxjs = require(name)) : require('symbol-observable');
rxjs.from(source).subscribe((how) => console.log(name, order.join(', '), how));
JS
diff <(for name in rxjs rxjs8; do node try.cjs "$name" rxjs polyfill; node try.cjs "$name" polyfill rxjs; done) - <<'OUTPUT'
rxjs rxjs, polyfill subscribed to
rxjs polyfill, rxjs iterated
rxjs8 rxjs, polyfill iterated
rxjs8 polyfill, rxjs iterated
OUTPUT
