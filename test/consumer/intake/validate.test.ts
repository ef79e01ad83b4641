import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import type { Decoded } from '../../../src/consumer/intake/decode.ts';
import { validate } from '../../../src/consumer/intake/validate.ts';
import { QueueError } from '../../../src/contract/errors.ts';
import type { PulledMessage } from '../../../src/contract/message.ts';
import type { Schema, SchemaResult } from '../../../src/contract/schema.ts';
import { pulled } from '../../lease/leases.ts';

const schemaOf = (check: (value: unknown) => SchemaResult<unknown> | Promise<SchemaResult<unknown>>): Schema => ({
  '~standard': { version: 1, vendor: 'test', validate: check },
});

const validateAll = (
  messages: readonly PulledMessage[],
  schema: Schema | undefined,
): Array<Decoded | Promise<Decoded>> => messages.map((message) => validate(message, schema));

const settled = (all: ReadonlyArray<Decoded | Promise<Decoded>>): Promise<Decoded[]> =>
  Promise.all(all.map((each) => Promise.resolve(each)));

const nothing: unknown = undefined;

const withBody = (body: unknown): PulledMessage => ({ ...pulled('a'), body });

describe('validate()', () => {
  it('lets everything through without a schema, but what could not be decoded', () => {
    const bodyError = new QueueError('undecodable', { code: 'undecodable-body' });
    const broken = { ...withBody(undefined), bodyError };
    expect(validateAll([withBody(1), broken], undefined)).toEqual([
      { message: withBody(1) },
      { message: broken, error: bodyError },
    ]);
  });

  it('calls a body invalid where an asynchronous schema gives what no schema may give', async () => {
    const wrong = [undefined, { issues: [{ message: 'no', path: 1 }] }] as never[];
    for (const result of wrong) {
      const judged = await validate(
        withBody(1),
        schemaOf(async () => result),
      );
      expect(judged).toMatchObject({ error: expect.any(TypeError) });
    }
  });

  it.each<[string, unknown]>([
    ['no value and no issues', {}],
    ['a list', []],
    ['nothing', undefined],
    ['a text', 'valid'],
  ])('calls a body invalid where a schema gives %s', async (_, result) => {
    const now = schemaOf(() => result as never);
    const later = schemaOf(() => Promise.resolve(result) as never);
    const judged = await settled([validate(withBody(1), now), validate(withBody(1), later)]);
    for (const { error } of judged) expect(error).toBeInstanceOf(Error);
  });

  it.each<[string, () => never | Promise<never>]>([
    [
      'throws',
      () => {
        throw nothing;
      },
    ],
    ['rejects', () => Promise.reject(nothing)],
  ])('calls a body invalid when the schema %s with no error at all', async (_, check) => {
    const judged = await validate(withBody(1), schemaOf(check));
    expect(judged.error).toMatchObject({ code: 'invalid-body', message: expect.stringContaining('undefined') });
  });

  it('judges at once, and takes over what the schema made of the body', () => {
    const schema = v.pipe(v.string(), v.transform(Number));
    const judged = validateAll([withBody('42'), withBody(42)], schema);
    expect(judged).toMatchObject([{ message: { body: 42 } }, { error: { code: 'invalid-body' } }]);
    expect((judged as readonly Decoded[])[0]).not.toHaveProperty('error');
  });

  it('waits for a schema that is asynchronous, in order', async () => {
    const schema = v.pipeAsync(
      v.number(),
      v.checkAsync(async (n) => n > 1, 'too small'),
    );
    const judged = validateAll([withBody(1), withBody(2)], schema);
    for (const each of judged) expect(each).toBeInstanceOf(Promise);
    expect(await settled(judged)).toMatchObject([{ error: { code: 'invalid-body' } }, { message: { body: 2 } }]);
  });

  it('waits for a schema that gives a promise for some bodies alone', async () => {
    const schema = schemaOf((value) => (value === 1 ? Promise.resolve({ value: 'later' }) : { value: 'now' }));
    expect(await settled(validateAll([withBody(1), withBody(2)], schema))).toMatchObject([
      { message: { body: 'later' } },
      { message: { body: 'now' } },
    ]);
  });

  it('waits for a promise that is not the platform’s own', async () => {
    // oxlint-disable-next-line unicorn/no-thenable
    const thenable = { then: (resolve: (result: SchemaResult<unknown>) => void) => resolve({ value: 'later' }) };
    const schema = schemaOf(() => thenable as unknown as Promise<SchemaResult<unknown>>);
    expect(await settled(validateAll([withBody(1)], schema))).toMatchObject([{ message: { body: 'later' } }]);
  });

  it('names what does not fit, and where', () => {
    const schema = v.object({ user: v.object({ ages: v.array(v.number()) }) });
    const [judged] = validateAll([withBody({ user: { ages: [1, 'x'] } })], schema) as readonly Decoded[];
    const error = judged?.error as QueueError;
    expect(error.message).toMatch(/^The body of message a does not fit the schema: user\.ages\.1: /);
    expect(error.cause).toHaveLength(1);
    const bare = validate(
      withBody(1),
      schemaOf(() => ({ issues: [{ message: 'no' }, { message: 'never' }] })),
    ) as Decoded;
    expect(String(bare.error)).toMatch(/schema: no; never$/);
  });

  it.each([
    [
      'throws',
      schemaOf(() => {
        throw new Error('defect');
      }),
    ],
    ['rejects', schemaOf(() => Promise.reject(new Error('defect')))],
  ])('takes a body for invalid when the schema %s', async (_, schema) => {
    expect(await settled(validateAll([withBody(1)], schema))).toMatchObject([{ error: { message: 'defect' } }]);
  });
});
