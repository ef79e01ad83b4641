import { describe, expect, it } from 'vitest';
import { Shutdown } from '../../../src/consumer/closing/shutdown.ts';
import type { Lease } from '../../../src/lease/lease.ts';
import { started } from '../../lease/leases.ts';

const shutdownOf = (endsWithSettlement = true): Shutdown =>
  new Shutdown({ reason: 'closed', error: undefined, endsWithSettlement, leasesEndBy: 30_000 });

const nobody = { finished: [], abort: false, abandon: [], pullsAreOver: false, isOver: false };

describe('Shutdown', () => {
  it('waits for nobody when nothing runs', () => {
    expect(shutdownOf().step(new Set(), 0)).toMatchObject(nobody);
  });

  it('waits for leases to end without a grace, then aborts, then abandons', () => {
    const shutdown = shutdownOf();
    const [short, long] = [started('short', 0, 1_000), started('long', 0, 2_000)];
    const running = new Set<Lease>([short, long]);
    expect(shutdown.step(running, 999)).toMatchObject({ ...nobody, nextAt: 1_000 });
    expect(shutdown.step(running, 1_000)).toMatchObject({ ...nobody, nextAt: 2_000 });
    expect(shutdown.step(running, 2_000)).toMatchObject({ ...nobody, abort: true, nextAt: 3_000 });
    expect(shutdown.step(running, 2_999)).toMatchObject({ ...nobody, nextAt: 3_000 });
    expect(shutdown.step(running, 3_000)).toMatchObject({ ...nobody, abandon: [short, long] });
  });

  it('waits for the grace instead, even beyond the end of a lease', () => {
    const shutdown = shutdownOf();
    shutdown.limit(5_000);
    const lease = started('a', 0, 1_000);
    expect(shutdown.step(new Set([lease]), 4_999)).toMatchObject({ ...nobody, nextAt: 5_000 });
    expect(shutdown.step(new Set([lease]), 5_000)).toMatchObject({ ...nobody, abort: true, nextAt: 6_000 });
    expect(shutdown.step(new Set([lease]), 6_000)).toMatchObject({ abandon: [lease], pullsAreOver: true });
    expect(shutdown.step(new Set(), 7_999)).toMatchObject({ isOver: false, nextAt: 8_000 });
    expect(shutdown.step(new Set(), 8_000)).toMatchObject({ isOver: true });
  });

  it('waits for what signals cause that were aborted late, with a grace and without', () => {
    const lease = started('a', 0, 1_000);
    for (const [graceMs, lastMs] of [
      [Infinity, 10_000],
      [5_000, 2_000],
    ] as const) {
      const shutdown = shutdownOf();
      shutdown.limit(graceMs);
      expect(shutdown.step(new Set([lease]), 90_000)).toMatchObject({ abort: true, isOver: false, nextAt: 91_000 });
      expect(shutdown.step(new Set(), 91_000 + lastMs - 1)).toMatchObject({ isOver: false, nextAt: 91_000 + lastMs });
      expect(shutdown.step(new Set(), 91_000 + lastMs)).toMatchObject({ isOver: true });
    }
  });

  it('takes only a shorter grace', () => {
    const shutdown = shutdownOf();
    shutdown.limit(1_000);
    shutdown.limit(9_000);
    expect(shutdown.step(new Set(), 1_999).pullsAreOver).toBe(false);
    expect(shutdown.step(new Set(), 2_000).pullsAreOver).toBe(true);
  });

  it.each([
    [true, 1],
    [false, 0],
  ])('with endsWithSettlement %s counts %i settled message as finished', (endsWithSettlement, count) => {
    const lease = started('a', 0, 1_000);
    lease.settledAs = 'ack';
    expect(shutdownOf(endsWithSettlement).step(new Set([lease]), 0).finished).toHaveLength(count);
  });
});
