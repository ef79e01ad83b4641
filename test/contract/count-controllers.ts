import { vi } from 'vitest';

/** Counts the abort controllers that are made from now on. */
export function countControllers(): () => number {
  let count = 0;
  class Counted extends AbortController {
    constructor() {
      super();
      count += 1;
    }
  }
  vi.stubGlobal('AbortController', Counted);
  return () => count;
}
