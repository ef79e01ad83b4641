#!/usr/bin/env bash
# TypeScript 7.0.2 and 5.9.3. An async generator that is compiled for ES2017 and delegates with yield* is not ended by the
# break of the loop around it: the source gets its return(), but the generator runs on with what follows the yield*, until
# its next yield. Compiled for ES2018, it ends at the yield*, as the language has it; so does one that loops with
# `for await … yield`, for ES2017 too. A good guess is that compiling down keeps the protocol, or drops return() altogether.
# Seen on Node 20.20.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
echo '{ "private": true }' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts typescript@7.0.2 typescript5@npm:typescript@5.9.3
cat > generators.mts <<'TS'
export async function* delegating(items: AsyncIterable<unknown>, log: (text: string) => void) {
  yield* items;
  log('ran on');
  yield 'one more';
}
export async function* looping(items: AsyncIterable<unknown>, log: (text: string) => void) {
  for await (const item of items) yield item;
  log('ran on');
  yield 'one more';
}
TS
cat > try.mjs <<'JS'
for (const folder of process.argv.slice(2)) {
  for (const [name, generate] of Object.entries(await import(`./${folder}/generators.mjs`))) {
    const log = [];
    async function* items() {
      try {
        for (let item = 0; ; item += 1) yield item;
      } finally {
        log.push('returned');
      }
    }
    for await (const _ of generate(items(), (text) => log.push(text))) break;
    console.log(folder, name, log.join(', '));
  }
}
JS
for compiler in typescript typescript5; do
  for target in es2017 es2018; do
    node "node_modules/$compiler/bin/tsc" --target "$target" --lib esnext --module nodenext --outDir "$compiler-$target" generators.mts
  done
done
diff <(node try.mjs typescript-es2017 typescript-es2018 typescript5-es2017 typescript5-es2018) - <<'OUTPUT'
typescript-es2017 delegating returned, ran on
typescript-es2017 looping returned
typescript-es2018 delegating returned
typescript-es2018 looping returned
typescript5-es2017 delegating returned, ran on
typescript5-es2017 looping returned
typescript5-es2018 delegating returned
typescript5-es2018 looping returned
OUTPUT
