import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashOf } from '../../src/lease/id-hash.ts';
import { RecentIds } from '../../src/lease/recent-ids.ts';

describe('RecentIds', () => {
  it('has the last so many that were added, whatever slots they fall into', () => {
    // Few ids in small tables collide, wrap around and close gaps all the time.
    const id = fc.nat(30).map(String);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.array(id, { maxLength: 80, size: 'max' }), (capacity, added) => {
        const recent = new RecentIds(capacity);
        let model: string[] = [];
        for (const each of added) {
          recent.add(each, hashOf(each));
          if (!model.includes(each)) model = [...model, each].slice(-capacity);
          for (let number = 0; number <= 30; number += 1) {
            expect(recent.has(String(number), hashOf(String(number)))).toBe(model.includes(String(number)));
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('takes any text for an id', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ unit: 'binary' }), { maxLength: 40 }), (ids) => {
        const recent = new RecentIds(100);
        for (const id of ids.slice(1)) recent.add(id, hashOf(id));
        expect(ids.filter((id) => recent.has(id, hashOf(id)))).toEqual(ids.slice(1));
      }),
    );
  });

  it('keeps at ten thousand what a set keeps', () => {
    const recent = new RecentIds(10_000);
    const ids = Array.from({ length: 35_000 }, (_, index) => `${(index * 2_654_435_761) % 2 ** 32}-${index}`);
    for (const id of ids) recent.add(id, hashOf(id));
    expect(ids.filter((id) => recent.has(id, hashOf(id)))).toEqual(ids.slice(-10_000));
  });
});
