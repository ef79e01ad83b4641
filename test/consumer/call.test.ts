import { describe, expect, it } from 'vitest';
import { openCall } from '../../src/consumer/call.ts';

describe('openCall()', () => {
  it('aborts the signal that the transport asked for', () => {
    const call = openCall(1_000);
    const { signal } = call.options;
    expect(signal?.aborted).toBe(false);
    call.giveUp();
    expect(signal?.aborted).toBe(true);
    expect(call.options.signal).toBe(signal);
  });

  it('gives an aborted signal to who asks when it was given up', () => {
    const call = openCall(1_000);
    call.giveUp();
    expect(call.options.signal?.aborted).toBe(true);
  });

  it('lets its options be spread', () => {
    const call = openCall(1_000);
    const options = { ...call.options };
    expect(options.timeoutMs).toBe(1_000);
    call.giveUp();
    expect(options.signal?.aborted).toBe(true);
  });
});
