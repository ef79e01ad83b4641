#!/usr/bin/env bash
# zod 4.6.7. The `~standard`.validate() of a schema with an asynchronous refinement runs the refinement twice for one value:
# it tries without promises first, meets the one that the refinement gave, and starts anew. Nobody looks at the first
# promise any more: where it rejects, that is an unhandled rejection, beside the rejection that the caller handles. A
# good guess is that validate() is parseAsync() in another form; parseAsync() runs it once and leaves nothing behind.
# Seen on Node 20.20.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
echo '{ "private": true }' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts zod@4.6.7
cat > try.mjs <<'JS'
import * as z from 'zod';
let calls = 0;
let unhandled = 0;
process.on('unhandledRejection', () => (unhandled += 1));
const schema = z.string().refine(async () => {
  calls += 1;
  throw new Error('the database is away');
});
for (const parse of [(value) => schema['~standard'].validate(value), (value) => schema.parseAsync(value)]) {
  calls = unhandled = 0;
  await parse('x').catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 20));
  console.log(`calls ${calls}, unhandled ${unhandled}`);
}
JS
diff <(node try.mjs) - <<'OUTPUT'
calls 2, unhandled 1
calls 1, unhandled 0
OUTPUT
