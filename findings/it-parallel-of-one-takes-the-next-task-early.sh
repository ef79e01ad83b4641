#!/usr/bin/env bash
# it-parallel 3.0.16. With { concurrency: 1 } it takes the second task from its source before the first one has ended, although
# it does not start it; p-map 7.1.1 with the same option takes one at a time. So a source whose next() means "done with the
# one before", a queue or a cursor that commits, is told so too early. A good guess is that 1 is a loop with an await.
# Seen on Node 20.20.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
echo '{ "private": true }' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts it-parallel@3.0.16 p-map@7.1.1
cat > try.mjs <<'JS'
import parallel from 'it-parallel';
import pMap from 'p-map';
const run = async (name, read) => {
  const log = [];
  const work = (item) => async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    log.push(`end ${item}`);
  };
  async function* tasks() {
    for (const item of [1, 2]) {
      log.push(`take ${item}`);
      yield work(item);
    }
  }
  await read(tasks());
  console.log(name, log.join(', '));
};
await run('it-parallel', async (tasks) => {
  for await (const _ of parallel(tasks, { concurrency: 1 }));
});
await run('p-map', (tasks) => pMap(tasks, (task) => task(), { concurrency: 1 }));
JS
diff <(node try.mjs) - <<'OUTPUT'
it-parallel take 1, take 2, end 1, end 2
p-map take 1, end 1, take 2, end 2
OUTPUT
