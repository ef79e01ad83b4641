const cycle: Record<string, unknown> = {};
cycle['self'] = cycle;

/** Bodies that can't be pushed, and what the error says of each. */
export const badBodies: ReadonlyArray<readonly [name: string, body: unknown, error: RegExp]> = [
  ['a message over 128 000 bytes', 'x'.repeat(128_001), /128001 bytes/],
  ['a JSON over 128 000 bytes', { text: 'é'.repeat(64_000) }, /128011 bytes/],
  ['a BigInt', 1n, /BigInt/],
  ['a BigInt within', { id: 1n }, /BigInt/],
  ['a cycle', cycle, /circular/],
  ['undefined', undefined, /undefined/],
  ['a function', () => 1, /function/],
  ['a symbol', Symbol('s'), /symbol/],
  ['a lone surrogate', 'a\uD800b', /surrogate/],
  ['a lone surrogate within', { text: '\uDC00' }, /surrogate/],
  ['NaN', Number.NaN, /NaN/],
  ['NaN within', { amount: Number.NaN }, /NaN at 'amount'/],
  ['Infinity', [Infinity], /Infinity/],
  ['bytes', new Uint8Array(3), /bytes/],
];

/** Bodies that take more than one request, or just one, and how many messages each carries then. */
export const fullBatches: ReadonlyArray<readonly [name: string, bodies: readonly string[], sizes: readonly number[]]> =
  [
    ['101 messages', Array.from({ length: 101 }, () => 'm'), [100, 1]],
    // 255 801 bytes of bodies and twice 100 of what the service adds: one byte too many.
    ['256 001 bytes', ['x'.repeat(127_900), 'y'.repeat(127_901)], [1, 1]],
    ['256 000 bytes', ['x'.repeat(127_900), 'y'.repeat(127_900)], [2]],
  ];
