import { describe, expect, it } from 'vitest';
import { Survived } from '../../src/lease/survived.ts';
import { started } from './leases.ts';

describe('Survived', () => {
  it('knows what was added, and nothing else', () => {
    const survived = new Survived();
    expect(survived.has(started('a', 0))).toBe(false);
    survived.add(started('a', 0));
    expect(survived.has(started('a', 5))).toBe(true);
    expect(survived.has(started('b', 0))).toBe(false);
  });
});
