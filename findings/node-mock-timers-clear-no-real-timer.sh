#!/usr/bin/env bash
# node:test of Node 20.20 and 22.23, by its defaults. While mock.timers is enabled, clearTimeout() of a timer that was set before
# does nothing, and says nothing: it fires in real time nevertheless. And performance.now() is not mocked, where Date is, so
# that the two clocks part by what tick() moves. The fake timers of vitest 4.1.12 clear such a timer. A good guess is that
# what is none of the mock's timers is handed on to the real function.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
echo '{ "private": true }' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts vitest@4.1.12
cat > try.mjs <<'JS'
import { mock } from 'node:test';
const log = [];
const timer = setTimeout(() => log.push('fired'), 10);
const { setTimeout: real } = globalThis;
const [date, now] = [Date.now(), performance.now()];
mock.timers.enable({ now: date });
clearTimeout(timer);
mock.timers.tick(60_000);
log.push(`Date ${Date.now() - date >= 60_000 ? 'moved' : 'stands'}, performance.now ${performance.now() - now >= 60_000 ? 'moved' : 'stands'}`);
await new Promise((resolve) => real(resolve, 50));
mock.timers.reset();
console.log(log.join('; '));
JS
cat > vitest.test.mjs <<'JS'
import { expect, it, vi } from 'vitest';
it('clears it', async () => {
  const fired = vi.fn();
  const { setTimeout: real } = globalThis;
  const timer = setTimeout(fired, 10);
  vi.useFakeTimers();
  clearTimeout(timer);
  await new Promise((resolve) => real(resolve, 50));
  expect(fired).not.toHaveBeenCalled();
});
JS
diff <(node --no-warnings try.mjs) - <<'OUTPUT'
Date moved, performance.now stands; fired
OUTPUT
npx vitest run > report.txt 2>&1 || { cat report.txt; exit 1; }
