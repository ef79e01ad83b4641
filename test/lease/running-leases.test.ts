import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RunningLeases } from '../../src/lease/running-leases.ts';
import { started } from './leases.ts';

describe('RunningLeases', () => {
  it('is a set in the order of its additions', () => {
    const step = fc.record({ add: fc.boolean(), which: fc.nat(7) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const leases = Array.from({ length: 8 }, (_, index) => started(`${index}`, 0));
        const running = new RunningLeases();
        const model = new Set(leases.slice(0, 0));
        for (const { add, which } of steps) {
          const lease = leases[which];
          if (lease === undefined || model.has(lease) === add) continue;
          if (add) {
            running.add(lease);
            model.add(lease);
          } else {
            running.remove(lease);
            model.delete(lease);
          }
          expect([...running]).toEqual([...model]);
          expect(running.size).toBe(model.size);
        }
      }),
    );
  });

  it('can lose the one that is looked at', () => {
    const running = new RunningLeases();
    const leases = ['a', 'b', 'c'].map((id) => started(id, 0));
    for (const lease of leases) running.add(lease);
    const seen: string[] = [];
    for (const lease of running) {
      seen.push(lease.id);
      running.remove(lease);
    }
    expect(seen).toEqual(['a', 'b', 'c']);
    expect(running.size).toBe(0);
  });
});
