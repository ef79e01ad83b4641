import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/contract/system-clock.ts';

describe('systemClock', () => {
  it('fires in the next turn where `setImmediate` is there and throws, as in the edge runtime of Next.js', async () => {
    vi.stubGlobal('EdgeRuntime', 'edge-runtime');
    vi.stubGlobal('setImmediate', () => {
      throw new Error('A Node.js API is used (setImmediate) which is not supported in the Edge Runtime.');
    });
    const fired = new Promise<string>((resolve) => {
      systemClock.setTimer(() => resolve('fired'), 0);
    });
    expect(await fired).toBe('fired');
  });
});
