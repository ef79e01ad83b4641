import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { plant } from './mutant.ts';
import { mutants } from './mutants.ts';

const root = join(import.meta.dirname, '../..');

// Whether each is found, `npm run mutants` tells.
describe('mutants', () => {
  it('have names of their own', () => {
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  });

  it.each(mutants.map((mutant) => [mutant.name, mutant] as const))('can be planted: %s', (_, mutant) => {
    const source = readFileSync(join(root, mutant.file), 'utf8');
    expect(plant(source, mutant)).not.toBe(source);
  });
});

describe('plant()', () => {
  const mutant = { name: 'off by one', file: 'a.ts', find: 'a < b', replace: 'a <= b' };

  it('replaces the text', () => {
    expect(plant('if (a < b) f();', mutant)).toBe('if (a <= b) f();');
  });

  it.each(['if (a > b) f();', 'if (a < b || a < b) f();'])(
    'refuses what has the text not exactly once: %s',
    (source) => {
      expect(() => plant(source, mutant)).toThrow("Cannot plant 'off by one': a.ts has its text");
    },
  );
});
