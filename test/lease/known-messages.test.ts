import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashOf } from '../../src/lease/id-hash.ts';
import { KnownMessages } from '../../src/lease/known-messages.ts';
import type { Lease } from '../../src/lease/lease.ts';
import { started } from './leases.ts';

const leaseOf = (id: string): Lease => started(id, 0);
const stateOf = (known: KnownMessages, id: string): Lease | 'done' | undefined => known.get(id, hashOf(id));

describe('KnownMessages', () => {
  // What was held counted: ten thousand buffered messages left room for a few finished ones, and made each cost a walk.
  it('remembers the last so many finished ones, whatever is held', () => {
    const ids = fc.uniqueArray(fc.nat(50));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.nat(20), ids, (capacity, held, numbers) => {
        const known = new KnownMessages(capacity);
        for (let index = 0; index < held; index += 1) known.hold(leaseOf(`held ${index}`));
        for (const number of numbers) known.finish(leaseOf(String(number)));
        const remembered = numbers.filter((number) => stateOf(known, String(number)) === 'done');
        expect(remembered).toEqual(numbers.slice(-capacity));
      }),
    );
  });

  it('never forgets what is held, whatever is finished meanwhile', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.boolean(), { maxLength: 60 }), (capacity, script) => {
        const known = new KnownMessages(capacity);
        const held = new Map<string, Lease>();
        script.forEach((isHeld, index) => {
          const id = String(index);
          if (isHeld) held.set(id, leaseOf(id));
          const lease = held.get(id);
          if (lease === undefined) known.finish(leaseOf(id));
          else known.hold(lease);
        });
        for (const [id, lease] of held) expect(stateOf(known, id)).toBe(lease);
      }),
    );
  });

  it('knows a held message that is finished as finished, also after many others', () => {
    const known = new KnownMessages(3);
    known.hold(leaseOf('a'));
    for (const id of ['b', 'c', 'd', 'a']) known.finish(leaseOf(id));
    for (const id of ['e', 'f']) {
      known.finish(leaseOf(id));
      expect(stateOf(known, 'a')).toBe('done');
    }
  });

  it('forgets no other for a message that is finished again and again', () => {
    const known = new KnownMessages(2);
    for (const id of ['a', 'b', 'b', 'b', 'b', 'b', 'b']) known.finish(leaseOf(id));
    expect(stateOf(known, 'a')).toBe('done');
  });

  it('forgets a lease, and no newer one of the same message', () => {
    const known = new KnownMessages(10);
    const [older, newer] = [leaseOf('a'), leaseOf('a')];
    known.hold(older);
    known.hold(newer);
    known.release(older);
    expect(stateOf(known, 'a')).toBe(newer);
    known.release(newer);
    expect(stateOf(known, 'a')).toBeUndefined();
    known.finish(newer);
    known.release(newer);
    expect(stateOf(known, 'a')).toBe('done');
  });

  it('knows nothing that it was never told of', () => {
    expect(stateOf(new KnownMessages(10), 'a')).toBeUndefined();
  });
});
