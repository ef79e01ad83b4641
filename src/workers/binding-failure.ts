import { errorOf } from '../contract/callback.ts';
import { QueueError, type QueueErrorCode } from '../contract/errors.ts';
import { codeTable } from '../transports/cloudflare/failure.ts';

/** What older runtimes put at the end of "Queue send failed: ": the words of a status. */
const statusWords: ReadonlyArray<readonly [RegExp, QueueErrorCode]> = [
  [/too many requests$/i, 'rate-limited'],
  [/(?:payload|content) too large$/i, 'too-large'],
  [/bad request$/i, 'refused'],
  [/(?:unauthorized|forbidden)$/i, 'unauthorized'],
  [/not found$/i, 'not-found'],
];

/** Gives what a binding threw as an error of the port. */
export function bindingFailure(action: string, thrown: unknown): unknown {
  if (thrown instanceof QueueError || thrown instanceof TypeError || thrown instanceof RangeError) return thrown;
  const cause = errorOf('the binding', thrown);
  const text = `Cannot ${action} by the binding: ${cause.message}`;
  // The runtime tells what the service said in the text, and in nothing else: its words, and its code in parentheses.
  const { message = '', number } = /^(?<message>.*) \((?<number>\d{3,5})\)$/.exec(cause.message)?.groups ?? {};
  if (number !== undefined) {
    const serviceCode = Number(number);
    const code = codeTable.get(serviceCode) ?? 'service-failed';
    return new QueueError(text, { code, cause, errors: [{ code: serviceCode, message }] });
  }
  const code = statusWords.find(([words]) => words.test(cause.message))?.[1] ?? 'service-failed';
  return new QueueError(text, { code, cause });
}
