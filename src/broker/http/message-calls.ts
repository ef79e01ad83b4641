import { copyWith } from '../../contract/copy-with.ts';
import { limits } from '../../contract/limits.ts';
import type {
  WireAckResult,
  WirePeekResult,
  WirePullResult,
  WirePurgeResult,
  WirePushResult,
} from '../../transports/cloudflare/wire-format.ts';
import { checkBatchCount, checkPullable, type IncomingMessage, pushBatch } from '../queue/admission.ts';
import type { Behaviour } from '../behaviour.ts';
import { jsonBody, textBody } from '../queue/body-codec.ts';
import type { QueueCallContext } from './call.ts';
import { elementSources, fieldSource } from '../queue/json-source.ts';
import { refusals } from './refusal.ts';
import {
  arrayField,
  asObject,
  delayField,
  field,
  integerField,
  type JsonObject,
  stringField,
  unexpected,
} from './request-body.ts';
import { settle } from '../queue/settle.ts';
import type { StoredBody } from '../queue/stored-message.ts';
import { toWireMessage, toWireMetrics, toWireWarnings } from './wire-answers.ts';

const batchSizes = [1, limits.batchMessages] as const;

/** `POST /messages` */
export function push({ queue, body: request, text, behaviour }: QueueCallContext): WirePushResult {
  pushBatch(queue, [readMessage(request, { path: '', source: text, delaySeconds: undefined, behaviour })]);
  return { metadata: { metrics: toWireMetrics(queue.reportedMetrics()) } };
}

/** `POST /messages/batch` */
export function bulkPush({ queue, body: request, text, behaviour }: QueueCallContext): WirePushResult {
  if (field(request, 'messages') === undefined) throw unexpected('array', undefined, 'messages');
  const elements = arrayField(request, 'messages');
  checkBatchCount(elements.length);
  const delaySeconds = delayField(request, '');
  const sources = elementSources(fieldSource(text, 'messages') ?? '');
  const messages = elements.map((element, index) => {
    const path = `messages[${index}]`;
    return readMessage(asObject(element, path), { path, source: sources[index] ?? '', delaySeconds, behaviour });
  });
  pushBatch(queue, messages);
  return { metadata: { metrics: toWireMetrics(queue.reportedMetrics()) } };
}

/** `POST /messages/pull` */
export function pull({ queue, body: request, behaviour }: QueueCallContext): WirePullResult {
  const batchSize = integerField(request, 'batch_size', batchSizes) ?? queue.settings.batchSize;
  const timeouts = [behaviour.leastVisibilityTimeoutMs, limits.visibilityTimeoutMs] as const;
  const visibilityTimeoutMs = integerField(request, 'visibility_timeout_ms', timeouts);
  checkPullable(queue, behaviour);
  const messages = queue
    .pull(batchSize, visibilityTimeoutMs)
    .map((message) => copyWith(toWireMessage(message, behaviour.jsonBodies), { lease_id: message.leaseId }));
  const metrics = toWireMetrics(queue.reportedMetrics());
  return { message_backlog_count: metrics.backlog_count, messages, metadata: { metrics } };
}

/** `POST /messages/ack`: acks first, then retries. A lease that is in both is acked, with a warning. */
export function ack({ queue, body: request, behaviour }: QueueCallContext): WireAckResult {
  // All is read before anything is settled, so that a refused request has changed nothing.
  const acks = arrayField(request, 'acks').map((element, index) => readLeaseId(element, `acks[${index}]`));
  const retries = arrayField(request, 'retries').map((element, index) => {
    const path = `retries[${index}]`;
    return { leaseId: readLeaseId(element, path), delaySeconds: delayField(asObject(element, path), path) };
  });
  const { ackCount, retryCount, warnings } = settle(queue, { acks, retries }, behaviour);
  return { ackCount, retryCount, warnings: toWireWarnings(warnings, behaviour.warnings) };
}

/** `POST /messages/peek` */
export function peek({ queue, body: request, behaviour }: QueueCallContext): WirePeekResult {
  const batchSize = integerField(request, 'batch_size', batchSizes) ?? queue.settings.batchSize;
  const messages = queue
    .peek(batchSize)
    .map((message) => copyWith(toWireMessage(message, behaviour.jsonBodies), { ref: message.ref }));
  return { messages };
}

/** `POST /messages/purge` */
export function purge({ queue, body: request }: QueueCallContext): WirePurgeResult {
  if (field(request, 'refs') === undefined) throw unexpected('array', undefined, 'refs');
  const refs = arrayField(request, 'refs').map((element, index) => {
    const path = `refs[${index}]`;
    return stringField(asObject(element, path), 'ref', path);
  });
  const unknown = refs.filter((ref) => !queue.purge(ref));
  return { errors: [], warnings: Object.fromEntries(unknown.map((ref) => [ref, 'Ref is not known'])) };
}

// Nothing else of an element is looked at: some clients send whole messages.
function readLeaseId(element: unknown, path: string): string {
  return stringField(asObject(element, path), 'lease_id', path);
}

interface Place {
  /** Where the message stands in the request; empty for the request itself. */
  readonly path: string;
  /** The message as it was written. */
  readonly source: string;
  /** The delay of a message that has none of its own. */
  readonly delaySeconds: number | undefined;
  readonly behaviour: Behaviour;
}

function readMessage(message: JsonObject, place: Place): IncomingMessage {
  return { body: readBody(message, place), delaySeconds: delayField(message, place.path) ?? place.delaySeconds };
}

function readBody(message: JsonObject, { path, source, behaviour: { jsonScalars } }: Place): StoredBody {
  const bodyPath = path === '' ? 'body' : `${path}.body`;
  const contentType = field(message, 'content_type') ?? 'json';
  if (contentType === 'text') return textBody(stringField(message, 'body', path));
  if (contentType !== 'json') throw refusals.contentType(path === '' ? 'content_type' : `${path}.content_type`);
  if (!Object.hasOwn(message, 'body')) throw unexpected('object', undefined, bodyPath);
  const value = message['body'];
  // Recorded of the service. What it does with numbers, booleans and null nobody knows.
  const isScalar = typeof value !== 'object' || value === null;
  if (typeof value === 'string' || (isScalar && jsonScalars === 'refuse')) throw unexpected('object', value, bodyPath);
  try {
    return jsonBody(value, fieldSource(source, 'body'));
  } catch {
    throw refusals.malformedBody('the body is nested too deeply');
  }
}
