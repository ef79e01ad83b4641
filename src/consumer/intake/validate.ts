import { show } from '../../contract/check-options.ts';
import { QueueError } from '../../contract/errors.ts';
import type { PulledMessage } from '../../contract/message.ts';
import type { Schema, SchemaIssue, SchemaResult } from '../../contract/schema.ts';
import { type Decode, decode, type Decoded } from './decode.ts';

/** Decodes a body and judges it; a promise only where the schema gives one. */
export function validate(pulled: PulledMessage, schema: Schema | undefined, how?: Decode): Decoded | Promise<Decoded> {
  const decoded = decode(pulled, how);
  if (schema === undefined || decoded.error !== undefined) return decoded;
  const { message } = decoded;
  const judge = (result: SchemaResult<unknown>): Decoded => {
    if (result.issues !== undefined) return { message, error: invalidBody(message, result.issues) };
    if (!('value' in result)) throw new TypeError('A schema must give a value or issues');
    return { message: { rawBody: message.body, ...message, body: result.value } };
  };
  const fail = (error: unknown): Decoded => ({ message, error: errorOf(message, error) });
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
