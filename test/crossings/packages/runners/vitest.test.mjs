import { expect, it, vi } from 'vitest';
import { defineTests } from './scenario.mjs';

defineTests({
  it,
  equal: (actual, expected) => expect(actual).toBe(expected),
  fake: () => vi.useFakeTimers(),
  restore: () => vi.useRealTimers(),
  advance: (ms) => vi.advanceTimersByTimeAsync(ms),
});
