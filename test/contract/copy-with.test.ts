import { describe, expect, it } from 'vitest';
import { copyWith } from '../../src/contract/copy-with.ts';

describe('copyWith()', () => {
  it('adds properties and replaces others, and leaves what it copies', () => {
    const object = Object.freeze({ a: 1, b: 2 });
    const copy = copyWith(object, { b: 'x', c: 3 });
    expect(copy).toStrictEqual({ a: 1, b: 'x', c: 3 });
    const text: string = copy.b;
    expect(text).toBe('x');
    expect(object).toStrictEqual({ a: 1, b: 2 });
  });
});
