import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KnownMessages } from '../../src/lease/known-messages.ts';
import type { Lease } from '../../src/lease/lease.ts';
import { started } from './leases.ts';

const leaseOf = (id: string): Lease => started(id, 0);

describe('KnownMessages', () => {
  // What was held counted: ten thousand buffered messages left room for a few finished ones, and made each cost a walk.
  it('remembers at least so many finished ones, and at most one more than twice as many, whatever is held', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.nat(20), fc.array(fc.nat(20)), (capacity, held, numbers) => {
        const known = new KnownMessages(capacity);
        for (let index = 0; index < held; index += 1) known.hold(`held ${index}`, leaseOf(`held ${index}`));
        for (const number of numbers) known.finish(String(number));
        const order = [...new Set(numbers.toReversed())].map(String);
        for (const id of order.slice(0, capacity)) expect(known.get(id)).toBe('done');
        expect(order.filter((id) => known.get(id) !== undefined).length).toBeLessThanOrEqual(2 * capacity + 1);
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
          if (lease === undefined) known.finish(id);
          else known.hold(id, lease);
        });
        for (const [id, lease] of held) expect(known.get(id)).toBe(lease);
      }),
    );
  });

  it('knows a held message that is finished as finished, also after many others', () => {
    const known = new KnownMessages(2);
    known.hold('a', leaseOf('a'));
    for (const id of ['b', 'c', 'd']) known.finish(id);
    known.finish('a');
    for (const id of ['e', 'f']) {
      known.finish(id);
      expect(known.get('a')).toBe('done');
    }
  });

  it('forgets no other for a message that is finished again and again', () => {
    const known = new KnownMessages(2);
    for (const id of ['a', 'b', 'b', 'b', 'b', 'b', 'b']) known.finish(id);
    expect(known.get('a')).toBe('done');
  });

  it('forgets a lease, and no newer one of the same message', () => {
    const known = new KnownMessages(10);
    const [older, newer] = [leaseOf('a'), leaseOf('a')];
    known.hold('a', older);
    known.hold('a', newer);
    known.release('a', older);
    expect(known.get('a')).toBe(newer);
    known.release('a', newer);
    expect(known.get('a')).toBeUndefined();
    known.finish('a');
    known.release('a', newer);
    expect(known.get('a')).toBe('done');
  });

  it('forgets a lease of an older generation, and not that its message was finished', () => {
    const known = new KnownMessages(1);
    const [a, b] = [leaseOf('a'), leaseOf('b')];
    known.hold('a', a);
    known.finish('b');
    known.finish('c');
    expect(known.get('a')).toBe(a);
    known.release('a', a);
    expect(known.get('a')).toBeUndefined();
    known.release('b', b);
    expect(known.get('b')).toBe('done');
  });

  it('knows nothing that it was never told of', () => {
    expect(new KnownMessages(10).get('a')).toBeUndefined();
  });
});
