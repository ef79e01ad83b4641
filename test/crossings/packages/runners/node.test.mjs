import assert from 'node:assert/strict';
import { it, mock } from 'node:test';
import { defineTests } from './scenario.mjs';

defineTests({
  it,
  equal: assert.equal,
  fake: () => mock.timers.enable(),
  restore: () => mock.timers.reset(),
  advance: async (ms, { setImmediate }) => {
    for (let moved = 0; moved < ms; moved += 50) {
      mock.timers.tick(50);
      await new Promise((resolve) => setImmediate(resolve));
    }
  },
});
