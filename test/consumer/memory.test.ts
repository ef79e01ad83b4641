import { describe, expect, it } from 'vitest';
import { measure, surfaces } from '../../bench/drain-million.ts';

describe.each(Object.entries(surfaces))('%s', (_, drain) => {
  // bench/drain-million.ts is the same with a million. What held on to each message would take more than twice as much here.
  it('keeps its memory flat while it drains 60 000 messages', async () => {
    const { handled, heapGrowthBytes } = await measure(drain, 60_000);
    expect(handled).toBe(60_000);
    expect(heapGrowthBytes).toBeLessThan(5_000_000);
  });
});
