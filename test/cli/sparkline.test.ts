import { describe, expect, it } from 'vitest';
import { hasUnicode, sparkline } from '../../src/cli/sparkline.ts';

describe('sparkline()', () => {
  it.each([
    [[], 5, ''],
    [[0, 0], 5, '▁▁'],
    [[0, 1, 2, 3, 4, 5, 6, 7], 8, '▁▂▃▄▅▆▇█'],
    [[100, 1, 7], 2, '▂█'],
    [[-5, 1e9], 2, '▁█'],
  ])('draws %j in %i columns', (numbers, width, drawn) => expect(sparkline(numbers, width)).toBe(drawn));
});

describe('hasUnicode()', () => {
  it.each([
    [{ LANG: 'de_DE.UTF-8' }, true],
    [{ LANG: 'C.utf8', TERM: 'xterm-256color' }, true],
    [{ LC_ALL: 'C', LANG: 'de_DE.UTF-8' }, false],
    [{ LC_ALL: '', LC_CTYPE: 'UTF-8' }, true],
    [{ LANG: 'C' }, false],
    [{}, false],
    [{ LANG: 'C.UTF-8', TERM: 'dumb' }, false],
  ])('is told by %j: %s', (environment, has) => expect(hasUnicode(environment)).toBe(has));
});
