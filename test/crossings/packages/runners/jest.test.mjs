import { expect, it, jest } from '@jest/globals';
import { defineTests } from './scenario.mjs';

defineTests({
  it,
  equal: (actual, expected) => expect(actual).toBe(expected),
  fake: () => jest.useFakeTimers(),
  restore: () => jest.useRealTimers(),
  advance: (ms) => jest.advanceTimersByTimeAsync(ms),
});
