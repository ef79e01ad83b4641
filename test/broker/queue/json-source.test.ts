import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elementSources, fieldSource } from '../../../src/broker/queue/json-source.ts';

const space = fc.stringMatching(/^[ \t\r\n]{0,3}$/);
/** A string as it may be written: with escapes that nobody needs, quotes and brackets among them. */
const stringSource = fc
  .array(
    fc.oneof(
      fc.string({ maxLength: 3 }).map((text) => JSON.stringify(text).slice(1, -1)),
      fc.constantFrom(String.raw`\"`, String.raw`\\`, String.raw`\u005c`, String.raw`\/`, '{', '}', '[', ']', ',', ':'),
    ),
    { maxLength: 5 },
  )
  .map((parts) => `"${parts.join('')}"`);
const scalarSource = fc.oneof(
  stringSource,
  fc.constantFrom('1234567890123456789', '1.10', '1E400', '-0', '1e-7', 'null', 'true', 'false', '""'),
);
/** A value as it may be written: with white space, and names that come twice. */
const { value: valueSource } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scalarSource,
    fc
      .array(fc.tuple(space, tie('value'), space), { maxLength: 4 })
      .map((parts) => `[${parts.map((part) => part.join('')).join(',')}]`),
    fc
      .array(
        fc.tuple(
          space,
          fc.oneof(fc.constantFrom('"a"', String.raw`"\u0061"`), stringSource),
          space,
          space,
          tie('value'),
          space,
        ),
        { maxLength: 4 },
      )
      .map((parts) => `{${parts.map(([a, name, b, c, value, d]) => `${a}${name}${b}:${c}${value}${d}`).join(',')}}`),
  ),
}));

describe('fieldSource()', () => {
  it('gives what JSON.parse reads the field from, whatever stands around it', () => {
    fc.assert(
      fc.property(valueSource, valueSource, space, (before, body, gap) => {
        const json = `${gap}{"x":${before},"body"${gap}:${gap}${body}${gap}}${gap}`;
        expect(fieldSource(json, 'body')).toBe(body);
        const record = JSON.parse(json) as Record<string, unknown>;
        for (const name of Object.keys(record)) expect(JSON.parse(fieldSource(json, name) ?? '')).toEqual(record[name]);
      }),
    );
  });

  it('takes the last of a name, however the name is written', () => {
    expect(fieldSource(String.raw`{"body":1,"b\u006fdy":1.10,"x":{"body":3}}`, 'body')).toBe('1.10');
  });

  it('finds nothing where there is nothing', () => {
    for (const json of ['{}', ' { } ', '{"x":{"body":1}}', '5', '"body"', '']) {
      expect(fieldSource(json, 'body')).toBe(undefined);
    }
  });
});

describe('elementSources()', () => {
  it('gives every element as it is written', () => {
    fc.assert(
      fc.property(fc.array(valueSource, { maxLength: 5 }), space, (elements, gap) => {
        expect(elementSources(`[${elements.map((element) => gap + element + gap).join(',')}]`)).toEqual(elements);
      }),
    );
  });
});
