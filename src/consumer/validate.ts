import { show } from '../contract/check-options.ts';
import { QueueError } from '../contract/errors.ts';
import type { PulledMessage } from '../contract/message.ts';
import type { HeldMessage } from '../lease/lease.ts';
import type { Schema, SchemaIssue, SchemaResult } from '../contract/schema.ts';

/** A message as its schema judged it. */
export interface Validated {
  readonly message: HeldMessage;
  /** Why it can't be handed out. */
  readonly error?: Error;
}

/** Judges a decoded body; a promise only where the schema gives one. */
export function validate(message: PulledMessage, schema: Schema | undefined): Validated | Promise<Validated> {
  if (message.bodyError !== undefined) return { message, error: message.bodyError };
  if (schema === undefined) return { message };
  const judge = (result: SchemaResult<unknown>): Validated => {
    if (result.issues !== undefined) return { message, error: invalidBody(message, result.issues) };
    if (!('value' in result)) throw new TypeError('A schema must give a value or issues');
    return { message: { ...message, body: result.value, rawBody: message.body } };
  };
  const fail = (error: unknown): Validated => ({ message, error: errorOf(message, error) });
  try {
    const result = schema['~standard'].validate(message.body);
    // Any thenable: a schema need not give the platform's own promises.
    return 'then' in result ? Promise.resolve(result).then(judge).catch(fail) : judge(result);
  } catch (error) {
    return fail(error);
  }
}

/** What a schema threw: `undefined` would pass for no error, and its message for a valid one. */
function errorOf({ id }: PulledMessage, thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  const text = `The schema failed on message ${id} with ${show(thrown)}`;
  return new QueueError(text, { code: 'invalid-body', cause: thrown });
}

function invalidBody(message: PulledMessage, issues: readonly SchemaIssue[]): QueueError {
  const said = issues.map((issue) => {
    const path = issue.path?.map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
    return path === undefined ? issue.message : `${path}: ${issue.message}`;
  });
  const text = `The body of message ${message.id} does not fit the schema: ${said.join('; ')}`;
  return new QueueError(text, { code: 'invalid-body', cause: issues });
}
