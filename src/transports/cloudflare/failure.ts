import { QueueError, type QueueErrorCode, type ServiceError } from '../../contract/errors.ts';
import type { Action } from './action.ts';
import { hintFor, sentence, withHint } from './hints.ts';
import { isOk } from './fetch.ts';
import type { Redact } from './redact.ts';
import type { Envelope } from './wire-answer.ts';

/** An answer that is not what was asked for. */
export interface FailedAnswer {
  readonly action: Action;
  readonly status: number;
  /** What the answer was wrapped in; `undefined` when it is not JSON. */
  readonly envelope: Pick<Envelope, 'success' | 'errors'> | undefined;
  /** The answer as it came. */
  readonly text: string;
  readonly retryAfterMs?: number | undefined;
  /** The code when neither the status nor the service's codes tell. @defaultValue `'bad-answer'` */
  readonly otherwise?: QueueErrorCode;
}

export interface FailureContext {
  readonly queueId: string;
  readonly redact: Redact;
  readonly wayHint?: string | undefined;
}

/**
 * The error for a failed answer: its code from the status and the service's integer codes, never from a text; its
 * message from what the service said, with a hint where something can be done.
 */
export function failureOf(answer: FailedAnswer, { queueId, redact, wayHint }: FailureContext): QueueError {
  const errors = (answer.envelope?.errors ?? []).map((error) => redactError(error, redact));
  // Others wrap their answers too, but hardly in both.
  const isTheServices = answer.envelope?.success === false && errors.length > 0;
  const codes = errors.map((error) => error.code);
  const code = codeOf(answer, codes);
  const said = describe(errors) || redactedExcerpt(answer.text, redact);
  const head = sentence(`Cannot ${answer.action}: the service answered ${answer.status}${said && `: ${said}`}`);
  const hint = hintFor({ code, codes, queueId, inEnvelope: isTheServices, wayHint });
  const link = errors.find((error) => error.documentationUrl !== undefined)?.documentationUrl;
  const message = `${withHint(head, hint)}${link === undefined ? '' : ` See ${link}`}`;
  const { status, retryAfterMs } = answer;
  return new QueueError(message, {
    code,
    status,
    errors,
    ...(!isCut(answer) && { inEnvelope: isTheServices }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** Whether it is a success of which the text, or a part of it, is missing: nobody knows then whose it was. */
function isCut({ status, envelope, text }: FailedAnswer): boolean {
  return isOk({ status }) && envelope === undefined && (text === '' || text.startsWith('{'));
}

/**
 * What the service's codes mean, whatever the status they come with, 5xx excepted.
 *
 * @see https://developers.cloudflare.com/queues/reference/error-codes/
 */
export const codeTable: ReadonlyMap<number, QueueErrorCode> = new Map<number, QueueErrorCode>([
  [971, 'rate-limited'],
  [10429, 'rate-limited'],
  [10250, 'queue-unavailable'],
  [10251, 'queue-unavailable'],
  [10252, 'queue-unavailable'],
  [10253, 'queue-unavailable'],
  // A credential that isn't in the form of one gets 400, and in the chain which header it is.
  [6003, 'unauthorized'],
  [6103, 'unauthorized'],
  [6111, 'unauthorized'],
  [9109, 'unauthorized'],
  [10000, 'unauthorized'],
  [10106, 'unauthorized'],
  [10405, 'unauthorized'],
  [7000, 'not-found'],
  [7003, 'not-found'],
  [10104, 'not-found'],
  // An id that can't be one gets 400, and no queue has it.
  [10107, 'not-found'],
  [11000, 'not-found'],
  [10204, 'too-large'],
  [10205, 'too-large'],
  [10206, 'too-large'],
  // The service saw the request end before its time, which is a 408 by another name.
  [10201, 'service-failed'],
  [15000, 'service-failed'],
  [10013, 'refused'],
  [10026, 'refused'],
  [10202, 'refused'],
  [10203, 'refused'],
  [10207, 'refused'],
  [10208, 'refused'],
]);

function codeOf({ action, status, otherwise = 'bad-answer' }: FailedAnswer, codes: readonly number[]): QueueErrorCode {
  const known = codes.map((code) => codeTable.get(code)).filter((code) => code !== undefined);
  // What says "later" wins over what says "never".
  const later = known.find((code) => code === 'queue-unavailable' || code === 'rate-limited');
  if (later !== undefined) return later;
  if (status === 429) return 'rate-limited';
  // The three that HTTP has repeated: too slow, of another connection's, too early.
  if (status >= 500 || status === 408 || status === 421 || status === 425) return 'service-failed';
  return known[0] ?? codeOfStatus(status, action) ?? otherwise;
}

function codeOfStatus(status: number, action: Action): QueueErrorCode | undefined {
  switch (status) {
    case 401:
    case 403:
      return 'unauthorized';
    case 404:
      return 'not-found';
    case 405:
      // Nothing else needs a pull consumer; there it means that the address is wrong.
      return action === 'pull' || action === 'ack' || action === 'peek' ? 'pull-not-enabled' : 'refused';
    case 409:
      return 'delivery-paused';
    case 413:
      return 'too-large';
    default:
      return status >= 400 ? 'refused' : undefined;
  }
}

function describe(errors: readonly ServiceError[]): string {
  return errors
    .map(({ code, message, pointer }) => {
      const where = pointer === undefined ? '' : ` at ${pointer}`;
      return `${message || 'no message'}${where} (code ${code})`;
    })
    .join('; ');
}

function redactError(error: ServiceError, redact: Redact): ServiceError {
  const { code, message, documentationUrl, pointer } = error;
  return {
    code,
    message: redact(message),
    ...(documentationUrl !== undefined && { documentationUrl: redact(documentationUrl) }),
    ...(pointer !== undefined && { pointer: redact(pointer) }),
  };
}

const excerptLength = 160;

// Redacted first: a cut could leave a part of a credential that would not be found afterwards.
function redactedExcerpt(text: string, redact: Redact): string {
  const plain = redact(text)
    .slice(0, 20_000)
    .replaceAll(/<(script|style)\b[^>]*>[^<]*(<\/\1\s*>)?/gi, ' ')
    .replaceAll(/<[^<>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return plain.length > excerptLength ? `${plain.slice(0, excerptLength)}…` : plain;
}
