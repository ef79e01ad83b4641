import { copyWith } from '../../contract/copy-with.ts';
import type { QueueMetrics } from '../../contract/message.ts';
import type { WireAckResult, WireEnvelope, WireMetrics } from '../../transports/cloudflare/wire-format.ts';
import type { ApiAnswer } from './api-exchange.ts';
import { Noticed, Page } from './call.ts';
import { toWireBody } from '../queue/body-codec.ts';
import type { Refusal } from './refusal.ts';
import type { MessageView } from '../queue/stored-message.ts';

/** What a pulled and a peeked message have in common on the wire. */
interface WireMessage {
  readonly id: string;
  readonly body: string;
  readonly attempts: number;
  readonly timestamp_ms: number;
  readonly metadata: Readonly<Record<string, string>>;
}

export function toWireMessage(message: MessageView, jsonBodies: 'plain' | 'base64'): WireMessage {
  return {
    id: message.id,
    body: toWireBody(message.body, jsonBodies),
    attempts: message.attempts,
    timestamp_ms: message.timestampMs,
    metadata: metadataOf(message),
  };
}

/** The metadata of a message, named and filled as the service does it. */
export function metadataOf(message: MessageView): Readonly<Record<string, string>> {
  const { contentType } = message.body;
  // Only Workers push these.
  const source = contentType === 'bytes' || contentType === 'v8' ? 'worker' : 'api';
  const metadata = { 'CF-Content-Type': contentType, 'CF-sourceMessageSource': source };
  return message.delaySeconds === 0
    ? metadata
    : copyWith(metadata, { 'CF-msg-delay-secs': String(message.delaySeconds) });
}

export function toWireMetrics(metrics: QueueMetrics): WireMetrics {
  return {
    backlog_bytes: metrics.backlogBytes,
    backlog_count: metrics.backlogCount,
    oldest_message_timestamp_ms: metrics.oldestMessageTimestampMs,
  };
}

export function toWireWarnings(
  warnings: ReadonlyMap<string, string>,
  form: 'map' | 'list',
): NonNullable<WireAckResult['warnings']> {
  // fromEntries defines fields, so that a lease id of `__proto__` is one like any other.
  if (form === 'map') return Object.fromEntries(warnings);
  return [...warnings].map(([leaseId, text]) => `${text} (${leaseId})`);
}

const jsonHeaders: Readonly<Record<string, string>> = { 'content-type': 'application/json' };

/** The answer to a request that was carried out. */
export function answerResult(result: unknown): ApiAnswer {
  const envelope = { success: true, errors: [], messages: [] };
  if (result instanceof Noticed) {
    return answer(200, copyWith(envelope, { messages: [{ code: 0, message: result.notice }], result: result.result }));
  }
  if (!(result instanceof Page)) return answer(200, copyWith(envelope, { result }));
  return answer(200, copyWith(envelope, { result: result.items, result_info: result.info }));
}

/** The answer to a request that was not. */
export function answerRefusal(refusal: Refusal): ApiAnswer {
  return answer(refusal.status, envelopeOf(refusal), headersOf(refusal));
}

/** What a refusal says, as JSON has it. */
export function envelopeOf({ code, message, pointer }: Refusal): WireEnvelope<null> {
  const error = { code, message, ...(pointer === undefined || pointer === '' ? {} : { source: { pointer } }) };
  return { success: false, errors: [error], messages: [], result: null };
}

/** What the head of a refusal says. */
export function headersOf({ headers, retryAfterSeconds }: Refusal): Readonly<Record<string, string>> {
  const retryAfter = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  return { ...jsonHeaders, ...headers, ...retryAfter };
}

function answer(
  status: number,
  envelope: WireEnvelope<unknown> & { readonly result_info?: unknown },
  headers = jsonHeaders,
): ApiAnswer {
  return { status, headers, text: JSON.stringify(envelope) };
}
