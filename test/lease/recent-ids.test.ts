import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashOf } from '../../src/lease/id-hash.ts';
import { RecentIds } from '../../src/lease/recent-ids.ts';

describe('RecentIds', () => {
  it('has the last so many that were added, whatever slots they fall into', () => {
    // Few ids in small tables collide, wrap around and close gaps all the time.
    const every = Array.from({ length: 31 }, (_, number) => String(number));
    const id = fc.constantFrom(...every);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.array(id, { maxLength: 80, size: 'max' }), (capacity, added) => {
        const recent = new RecentIds(capacity);
        let model: string[] = [];
        for (const each of added) {
          recent.add(each, hashOf(each));
          if (!model.includes(each)) model = [...model, each].slice(-capacity);
          const has = every.filter((one) => recent.has(one, hashOf(one)));
          expect(has).toEqual(every.filter((one) => model.includes(one)));
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
