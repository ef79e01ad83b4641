import { QueueError, type ServiceError } from '../../contract/errors.ts';
import type { QueueMetrics } from '../../contract/message.ts';
import type { AckRequest, AckResult, PurgeRequest, PushResult } from '../../contract/transport.ts';
import type { Action } from './action.ts';
import { isRecord, noFields, numberOr, type WireRecord } from './wire-value.ts';
import { attributeWarnings, mentions } from './wire-warnings.ts';

// The service's JSON to the contract's words. It is read as if every field could be absent, null or of another type,
// since the service's schema makes all of them optional.

/** The wrapping of every answer. `success` is absent when the answer has none, which the service never does. */
export interface Envelope {
  readonly success?: boolean;
  readonly errors: readonly ServiceError[];
  readonly result: unknown;
}

/** Reads an answer's wrapping. `undefined` when it is not a JSON object. */
export function decodeEnvelope(text: string): Envelope | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const { success, result } = value;
  const errors = decodeErrors(value['errors']);
  return typeof success === 'boolean' ? { success, errors, result } : { errors, result };
}

/** Reads a list of errors, each followed by what its `error_chain` adds (`Invalid request headers`, say, has one). */
function decodeErrors(errors: unknown): ServiceError[] {
  if (!Array.isArray(errors)) return [];
  return errors.flatMap((error: unknown) => {
    if (!isRecord(error)) return [];
    return [decodeError(error), ...decodeErrors(error['error_chain'])];
  });
}

function decodeError(error: WireRecord): ServiceError {
  const documentationUrl = error['documentation_url'];
  const pointer = isRecord(error['source']) ? error['source']['pointer'] : undefined;
  return {
    code: numberOr(error['code'], 0),
    message: typeof error['message'] === 'string' ? error['message'] : '',
    ...(typeof documentationUrl === 'string' && { documentationUrl }),
    ...(typeof pointer === 'string' && { pointer }),
  };
}

/** The failure of a success that lacks what was asked for. */
export function lacking(action: Action, what: string): QueueError {
  const text = `Cannot ${action}: the answer has no ${what}.`;
  return new QueueError(text, { code: 'bad-answer', status: 200, inEnvelope: true });
}

/** Reads the result of both kinds of push; older services sent none. */
export function decodePushResult(result: unknown): PushResult {
  const metrics = decodeMetrics(metricsOf(result));
  return metrics ? { metrics } : {};
}

/** The `metadata.metrics` of a result. */
export function metricsOf(result: unknown): unknown {
  const metadata = isRecord(result) ? result['metadata'] : undefined;
  return isRecord(metadata) ? metadata['metrics'] : undefined;
}

/** Reads metrics. `undefined` without a backlog count: an unknown backlog must not look like an empty one. */
export function decodeMetrics(metrics: unknown): QueueMetrics | undefined {
  if (!isRecord(metrics)) return undefined;
  const backlogCount = numberOr(metrics['backlog_count'], -1);
  if (backlogCount < 0) return undefined;
  return {
    backlogCount,
    backlogBytes: numberOr(metrics['backlog_bytes'], 0),
    oldestMessageTimestampMs: numberOr(metrics['oldest_message_timestamp_ms'], 0),
  };
}

/** Reads the result of an ack, the one result in camelCase. */
export function decodeAckResult(result: unknown, request: AckRequest): AckResult {
  const { ackCount, retryCount, warnings } = isRecord(result) ? result : noFields;
  const acked = numberOr(ackCount, -1);
  const retried = numberOr(retryCount, -1);
  const leaseIds = () => [...request.acks, ...request.retries.map((retry) => retry.leaseId)];
  const { about, others } = attributeWarnings(warnings, leaseIds);
  return {
    warnings: about,
    otherWarnings: others,
    ...(acked >= 0 && { ackCount: acked }),
    ...(retried >= 0 && { retryCount: retried }),
  };
}

/** Reads the result of a purge. `errors` are those that name no ref of the request. */
export function decodePurgeResult(
  result: unknown,
  request: PurgeRequest,
): { readonly warnings: ReadonlyMap<string, string>; readonly errors: readonly ServiceError[] } {
  const { warnings, errors } = isRecord(result) ? result : noFields;
  const about = new Map(attributeWarnings(warnings, () => request.refs).about);
  const unattributed = decodeErrors(errors).filter((error) => {
    const named = request.refs.filter((ref) => mentions(error.message, ref));
    for (const ref of named) about.set(ref, error.message);
    return named.length === 0;
  });
  return { warnings: about, errors: unattributed };
}
