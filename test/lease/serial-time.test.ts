import { describe, expect, it } from 'vitest';
import { SerialTime } from '../../src/lease/serial-time.ts';

describe('SerialTime', () => {
  const observed = (...samples: readonly (readonly [busyMs: number, messages: number])[]): SerialTime => {
    const serial = new SerialTime(1_000);
    for (const [busyMs, messages] of samples) serial.observe(busyMs, messages);
    return serial;
  };

  it('knows nothing, and bounds nothing, before the first message', () => {
    const serial = observed();
    expect([serial.handed, serial.meanMs, serial.stallMs, serial.startableWithin(1)]).toEqual([0, 0, 0, Infinity]);
  });

  it('shares what the loop was kept among the messages that were handed out together', () => {
    const serial = observed([100, 10], [30, 3]);
    expect([serial.handed, serial.meanMs]).toEqual([13, 10]);
  });

  it('tells for how long the loop is rarely kept, however many were handed out', () => {
    expect(observed([10, 1]).stallMs).toBe(30);
    expect(observed([10, 10]).stallMs).toBe(30);
    expect(observed([86_400_000, 4]).stallMs).toBe(3_000);
  });

  it('takes a machine that slept for one that computed for no longer than the most', () => {
    expect(observed([86_400_000, 1]).meanMs).toBe(1_000);
    expect(observed([86_400_000, 4]).meanMs).toBe(250);
  });

  it.each([
    // The deviation of the first is half of it: n messages of 10 ms take 10 n + 20 √n.
    [10, 29, 0],
    [10, 30, 1],
    [10, 79, 3],
    [10, 80, 4],
    [0, 5, Infinity],
  ])('after one message of %i ms lets %i ms start %i', (eachMs, budgetMs, startable) => {
    expect(observed([eachMs, 1]).startableWithin(budgetMs)).toBe(startable);
  });

  it('comes to what fits when all take the same', () => {
    const serial = observed(...Array.from({ length: 1_000 }, () => [150, 1] as const));
    expect(serial.startableWithin(475)).toBe(3);
    expect(serial.startableWithin(450)).toBe(2);
    expect(serial.startableWithin(149)).toBe(0);
  });

  it('lets many start where few of them compute, and fewer than their mean would', () => {
    const mixed = Array.from({ length: 1_000 }, (_, index) => [index % 10 === 0 ? 150 : 0, 1] as const);
    const startable = observed(...mixed).startableWithin(475);
    expect(startable).toBeGreaterThan(3);
    expect(startable).toBeLessThan(475 / 15);
  });
});
