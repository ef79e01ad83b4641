import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EncodedBody } from '../../src/contract/body.ts';
import { type EncodedMessage, splitBatches, weightOf } from '../../src/producer/split-batches.ts';

const ofBytes = (bytes: number): EncodedMessage => ({ body: new EncodedBody('text', 'x'.repeat(bytes)) });
const sizes = (batches: readonly EncodedMessage[][]): number[] => batches.map((batch) => batch.length);

describe('splitBatches()', () => {
  it.each<[string, number[], number[]]>([
    ['nothing', [], []],
    ['one', [1], [1]],
    ['100', Array.from({ length: 100 }, () => 1), [100]],
    ['101', Array.from({ length: 101 }, () => 1), [100, 1]],
    ['1 000', Array.from({ length: 1_000 }, () => 1), Array.from({ length: 10 }, () => 100)],
    ['what fits to the byte', [127_900, 127_900], [2]],
    ['one byte more', [127_900, 127_901], [1, 1]],
    ['the largest messages', [128_000, 128_000, 128_000], [1, 1, 1]],
  ])('splits %s', (_, bytes, expected) => {
    expect(sizes(splitBatches(bytes.map(ofBytes)))).toEqual(expected);
  });

  it('keeps the order, keeps to the limits, and leaves no batch that the next message would fit', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 128_000 })), { maxLength: 300, size: 'max' }),
        (bytes) => {
          const messages = bytes.map(ofBytes);
          const batches = splitBatches(messages);
          expect(batches.flat()).toEqual(messages);
          const weights = batches.map((batch) => batch.reduce((sum, message) => sum + weightOf(message), 0));
          batches.forEach((batch, index) => {
            expect(batch.length).toBeGreaterThan(0);
            expect(batch.length).toBeLessThanOrEqual(100);
            expect(weights[index]).toBeLessThanOrEqual(256_000);
            const next = batches[index + 1]?.[0];
            if (next !== undefined && batch.length < 100) {
              expect((weights[index] ?? 0) + weightOf(next)).toBeGreaterThan(256_000);
            }
          });
        },
      ),
      { numRuns: 50 },
    );
  });
});
