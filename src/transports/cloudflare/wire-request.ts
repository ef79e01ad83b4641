import { encodeBody } from '../../contract/body.ts';
import { checkInteger } from '../../contract/check-options.ts';
import { limits } from '../../contract/limits.ts';
import type { OutgoingMessage } from '../../contract/message.ts';
import type {
  AckRequest,
  BulkPushRequest,
  PeekRequest,
  PullRequest,
  PurgeRequest,
  RetryRequest,
} from '../../contract/transport.ts';
import type { WireAckRequest, WirePeekRequest, WirePullRequest, WirePurgeRequest } from './wire-format.ts';

// The contract's words to the service's JSON. Only what can't be sent is refused here; sizes and counts above the
// limits are for the service to judge.

/** The body of `POST /messages`. The content type is always sent: the service's own default is `json`. */
export function encodePush(message: OutgoingMessage): string {
  return pushJson(message, 'push', '');
}

/** The body of `POST /messages/batch`. */
export function encodeBulkPush({ messages, delaySeconds }: BulkPushRequest): string {
  requireSome('bulk push', 'messages', messages.length);
  if (delaySeconds !== undefined) checkDelay('bulk push', 'delaySeconds', delaySeconds);
  let json = '';
  for (let index = 0; index < messages.length; index += 1) {
    const message = messages[index];
    if (message === undefined) throw new TypeError(`Cannot bulk push as 'messages[${index}]' is missing`);
    json += `${index === 0 ? '' : ','}${pushJson(message, 'bulk push', index)}`;
  }
  return `{"messages":[${json}]${delayJson(delaySeconds)}}`;
}

// The body is JSON already when it comes here, so it is set in as it is rather than parsed and stringified once more.
function pushJson(message: OutgoingMessage, action: string, index: number | ''): string {
  const { delaySeconds } = message;
  // Its name is made only where it is needed: this runs for every message.
  if (delaySeconds !== undefined) {
    checkDelay(action, index === '' ? 'delaySeconds' : `messages[${index}].delaySeconds`, delaySeconds);
  }
  const { contentType, text } = encodeBody(message.body, message.contentType);
  const body = contentType === 'text' ? JSON.stringify(text) : text;
  return `{"body":${body},"content_type":"${contentType}"${delayJson(delaySeconds)}}`;
}

function delayJson(delaySeconds: number | undefined): string {
  return delaySeconds === undefined ? '' : `,"delay_seconds":${delaySeconds}`;
}

/** What JSON leaves out may be `undefined`. */
type WithGaps<Wire> = { readonly [Name in keyof Wire]: Wire[Name] | undefined };

/** The body of `POST /messages/pull`: `{}` leaves both to the queue. */
export function encodePull({ batchSize, visibilityTimeoutMs }: PullRequest): string {
  if (batchSize !== undefined) checkInteger('pull', 'batchSize', batchSize, [1, limits.batchMessages]);
  if (visibilityTimeoutMs !== undefined) {
    checkInteger('pull', 'visibilityTimeoutMs', visibilityTimeoutMs, [1, limits.visibilityTimeoutMs]);
  }
  const wire: WithGaps<WirePullRequest> = { batch_size: batchSize, visibility_timeout_ms: visibilityTimeoutMs };
  return JSON.stringify(wire);
}

/** The body of `POST /messages/ack`, without an array that would be empty. */
export function encodeAck({ acks, retries }: AckRequest): string {
  requireSome('ack', 'acks and retries', acks.length + retries.length);
  // To look whether anything is to be escaped, and to join what is not, takes Node 20 two thirds of the time, and newer ones
  // as long.
  if (retries.length === 0 && acks.every((leaseId) => asItIs.test(leaseId)))
    return `{"acks":[{"lease_id":"${acks.join('"},{"lease_id":"')}"}]}`;
  const wire: WithGaps<WireAckRequest> = {
    acks: acks.length > 0 ? acks.map(ackJson) : undefined,
    retries: retries.length > 0 ? retries.map(retryJson) : undefined,
  };
  return JSON.stringify(wire);
}

/** What JSON shows as it is. */
const asItIs = /^[ !#-[\]-~]*$/;

function ackJson(leaseId: string): { lease_id: string } {
  return { lease_id: leaseId };
}

function retryJson(retry: RetryRequest, index: number): { lease_id: string; delay_seconds?: number } {
  const { leaseId, delaySeconds } = retry;
  if (delaySeconds === undefined) return { lease_id: leaseId };
  checkDelay('ack', `retries[${index}].delaySeconds`, delaySeconds);
  return { lease_id: leaseId, delay_seconds: delaySeconds };
}

/** The body of `POST /messages/peek`. */
export function encodePeek({ batchSize }: PeekRequest): string {
  if (batchSize !== undefined) checkInteger('peek', 'batchSize', batchSize, [1, limits.batchMessages]);
  const wire: WirePeekRequest = batchSize === undefined ? {} : { batch_size: batchSize };
  return JSON.stringify(wire);
}

/** The body of `POST /messages/purge`. */
export function encodePurge({ refs }: PurgeRequest): string {
  requireSome('purge', 'refs', refs.length);
  const wire: WirePurgeRequest = { refs: refs.map((ref) => ({ ref })) };
  return JSON.stringify(wire);
}

function requireSome(action: string, name: string, count: number): void {
  if (count === 0) throw new RangeError(`Cannot ${action} as '${name}' must not be empty: current length is 0`);
}

function checkDelay(action: string, name: string, value: unknown): void {
  checkInteger(action, name, value, [0, limits.delaySeconds]);
}
