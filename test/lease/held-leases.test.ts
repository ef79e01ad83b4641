import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeldLeases } from '../../src/lease/held-leases.ts';
import { hashOf } from '../../src/lease/id-hash.ts';
import { Lease, LeaseBatch } from '../../src/lease/lease.ts';
import { pulled, started } from './leases.ts';

describe('HeldLeases', () => {
  it('holds what a map would', () => {
    const step = fc.record({ id: fc.nat(200).map(String), adds: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
        const held = new HeldLeases();
        const model = new Map<string, Lease>();
        for (const { id, adds } of steps) {
          if (adds) {
            const lease = started(id, 0);
            held.set(lease);
            model.set(id, lease);
          } else {
            held.delete(id, hashOf(id));
            model.delete(id);
          }
          expect(held.size).toBe(model.size);
        }
        for (let number = 0; number <= 200; number += 1) {
          const id = String(number);
          expect(held.get(id, hashOf(id))).toBe(model.get(id));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('tells ids of one hash apart, and takes a lease back that it had before', () => {
    const held = new HeldLeases();
    const batch = new LeaseBatch(0, 1_000);
    const leases = ['a', 'b', 'c', 'd'].map((id) => new Lease(pulled(id), batch, 7));
    for (const lease of [...leases, ...leases.slice(1, 3)]) held.set(lease);
    expect(held.size).toBe(4);
    for (const lease of leases) expect(held.get(lease.id, 7)).toBe(lease);
    held.delete('c', 7);
    held.delete('e', 7);
    expect(leases.map(({ id }) => held.get(id, 7)?.id)).toEqual(['a', 'b', undefined, 'd']);
  });

  it('lets go of what is taken out, and of what it is chained to', () => {
    const held = new HeldLeases();
    const leases = ['a', 'b', 'c'].map((id) => new Lease(pulled(id), new LeaseBatch(0, 1_000), 7));
    for (const lease of leases) held.set(lease);
    for (const lease of leases) held.delete(lease.id, 7);
    expect(leases.map((lease) => lease.heldBefore)).toEqual([undefined, undefined, undefined]);
  });
});

describe('hashOf', () => {
  it('spreads the ids of the service over the buckets', () => {
    const buckets = new Set<number>();
    for (let n = 0; n < 1_000; n += 1) {
      const id = createHash('sha256').update(String(n)).digest('hex').slice(0, 32);
      buckets.add(hashOf(id) & 1_023);
    }
    // Thrown at random, 1 000 ids hit 637 of 1 024.
    expect(buckets.size).toBeGreaterThan(550);
  });

  it('takes any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (id) => {
        expect(hashOf(id)).toBe(hashOf(id) | 0);
      }),
    );
  });
});
