import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AckResult } from '../../src/contract/transport.ts';
import type { Lease } from '../../src/lease/lease.ts';
import { readOutcomes } from '../../src/lease/read-outcomes.ts';
import { started } from './leases.ts';

function settled(kinds: string): Lease[] {
  return [...kinds].map((kind, index) => {
    const lease = started(`m${index}`, 0);
    lease.settledAs = kind === 'a' ? 'ack' : 'retry';
    return lease;
  });
}

const warningsOf = (...indexes: number[]): Map<string, string> =>
  new Map(indexes.map((index) => [`m${index}-1`, 'gone']));

describe('readOutcomes()', () => {
  // a ack, r retry; A acked, R retried, L lost, U unknown
  it.each<[string, Partial<AckResult>, string]>([
    ['aar', { ackCount: 2, retryCount: 1 }, 'AAR'],
    ['aar', {}, 'AAR'],
    ['aar', { ackCount: 1, retryCount: 1, warnings: warningsOf(1) }, 'ALR'],
    ['aar', { warnings: warningsOf(1) }, 'ALR'],
    ['aar', { ackCount: 0, retryCount: 1, warnings: warningsOf(0, 1) }, 'LLR'],
    ['aar', { ackCount: 2, retryCount: 0, warnings: warningsOf(2) }, 'AAL'],
    ['aar', { ackCount: 1, retryCount: 1 }, 'UUR'],
    ['aar', { ackCount: 0, retryCount: 1, warnings: warningsOf(1) }, 'UUR'],
    ['aar', { ackCount: 2, retryCount: 0 }, 'AAU'],
    ['aar', { ackCount: 3, retryCount: 1 }, 'UUR'],
    // A warning about what counted all the same: it was only said.
    ['aar', { ackCount: 2, retryCount: 1, warnings: warningsOf(0, 2) }, 'AAR'],
    ['aar', { ackCount: 1, retryCount: 1, otherWarnings: ['one is unknown'] }, 'UUR'],
    ['aar', { otherWarnings: ['one is unknown'] }, 'UUU'],
    ['aar', { ackCount: 2, otherWarnings: ['one is unknown'] }, 'AAU'],
    ['aa', { ackCount: 2 }, 'AA'],
    ['rr', { retryCount: 1, warnings: warningsOf(1) }, 'RL'],
    ['', { ackCount: 0, retryCount: 0 }, ''],
  ])('%s with %o is %s', (kinds, result, expected) => {
    const outcomes = readOutcomes(settled(kinds), { warnings: new Map(), otherWarnings: [], ...result }, 10);
    const letters = { acked: 'A', retried: 'R', lost: 'L', unknown: 'U' };
    expect(outcomes.map(({ outcome }) => letters[outcome]).join('')).toBe(expected);
  });

  it.each<[string, number[], string]>([
    ['the older lease counted', [1], 'AA'],
    ['the newer lease counted', [0], 'AA'],
    ['neither counted', [0, 1], 'LL'],
  ])('knows that a message is acknowledged by either of its leases: %s', (_, warned, expected) => {
    const leases = ['first', 'second'].map((leaseId) => {
      const lease = started('m', 0);
      lease.leaseId = leaseId;
      lease.settledAs = 'ack';
      return lease;
    });
    const warnings = new Map(warned.map((index) => [leases[index]?.leaseId ?? '', 'gone']));
    const outcomes = readOutcomes(leases, { ackCount: 2 - warned.length, warnings, otherWarnings: [] }, 10);
    expect(outcomes.map(({ outcome }) => (outcome === 'acked' ? 'A' : 'L')).join('')).toBe(expected);
  });

  it('says why', () => {
    const result = { warnings: warningsOf(0), otherWarnings: [] };
    const [lost] = readOutcomes(settled('a'), { ...result, ackCount: 0 }, 10);
    expect(lost).toMatchObject({ outcome: 'lost', error: { code: 'lease-unknown' } });
    expect(String(lost?.outcome === 'lost' && lost.error)).toContain('the ack of message m0: gone');
    const [unknown] = readOutcomes(
      settled('rr'),
      { ...result, warnings: new Map(), otherWarnings: ['odd'], retryCount: 0 },
      10,
    );
    expect(unknown).toMatchObject({ outcome: 'unknown', error: { code: 'unconfirmed' } });
    expect(String(unknown?.outcome === 'unknown' && unknown.error)).toMatch(
      /the retry of message m0 took effect: odd$/,
    );
  });

  it('says no more than it knows when nothing was warned of', () => {
    const [unknown] = readOutcomes(settled('a'), { warnings: new Map(), otherWarnings: [], ackCount: 0 }, 10);
    expect(String(unknown?.outcome === 'unknown' && unknown.error)).toMatch(/the ack of message m0 took effect$/);
  });

  it.each([
    [999, false],
    [1_000, true],
    [1_001, true],
  ])('at %i ms of a lease of 1 000 says late: %s', (now, late) => {
    expect(readOutcomes(settled('ar'), { warnings: new Map(), otherWarnings: [] }, now)).toEqual([
      { outcome: 'acked', late },
      { outcome: 'retried', late },
    ]);
  });

  it('claims no more than was counted', () => {
    const drawn = fc.record({
      kinds: fc.string({ unit: fc.constantFrom('a', 'r'), maxLength: 6 }),
      ackCount: fc.nat(6),
      retryCount: fc.nat(6),
      warned: fc.array(fc.nat(6)),
      otherWarnings: fc.array(fc.constant('?'), { maxLength: 1 }),
    });
    fc.assert(
      fc.property(drawn, ({ kinds, warned, ...result }) => {
        const outcomes = readOutcomes(settled(kinds), { ...result, warnings: warningsOf(...warned) }, 0);
        expect(outcomes).toHaveLength(kinds.length);
        const count = (outcome: string): number => outcomes.filter((each) => each.outcome === outcome).length;
        expect(count('acked')).toBeLessThanOrEqual(result.ackCount);
        expect(count('retried')).toBeLessThanOrEqual(result.retryCount);
      }),
    );
  });
});
