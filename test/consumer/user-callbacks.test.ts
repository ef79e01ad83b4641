import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scenarios } from './callback-scenarios.ts';
import { misdeeds, type Misdeed } from './misdeeds.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/user-callbacks.md'), 'utf8');
const [columns = [], , ...rows] = page
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) => line.replaceAll('`', '').split('|').slice(1, -1))
  .map((cells) => cells.map((cell) => cell.trim()));
const cells = rows.flatMap(([callback = '', ...outcomes]) =>
  outcomes.map((outcome, index) => [callback, columns[index + 1] as Misdeed, outcome] as const),
);

describe('the callbacks of docs/user-callbacks.md', () => {
  it('are all those that are tried, in all ways', () => {
    expect(rows.map(([callback]) => callback)).toEqual(Object.keys(scenarios));
    expect(columns.slice(1)).toEqual(misdeeds);
    expect(cells).toHaveLength(rows.length * misdeeds.length);
  });

  it.each(cells)('%s %s: %s', async (callback, misdeed, outcome) => {
    expect(await scenarios[callback]?.(misdeed)).toBe(outcome);
  });
});
