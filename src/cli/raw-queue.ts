import { EncodedBody } from '../contract/body.ts';
import type { ContentType, PeekedMessage, PulledMessage } from '../contract/message.ts';
import { systemClock } from '../contract/system-clock.ts';
import { decodeBase64 } from '../transports/cloudflare/base64.ts';
import { failureOf } from '../transports/cloudflare/failure.ts';
import { createHttp } from '../transports/cloudflare/http.ts';
import type { CloudflareConnection } from '../transports/cloudflare/options.ts';
import { createRedact } from '../transports/cloudflare/redact.ts';
import {
  decodeEnvelope,
  decodePeekResult,
  decodePullResult,
  encodePeek,
  encodePull,
} from '../transports/cloudflare/wire.ts';
import { isRecord } from '../transports/cloudflare/wire-value.ts';

/** A message whose body is still the text that was pushed: numbers keep all their digits. */
export interface RawMessage {
  readonly id: string;
  readonly attempts: number;
  readonly timestampMs: number;
  readonly contentType: ContentType;
  /** The text of a `text` body, the JSON of a `json` body, base64 of the others. */
  readonly text: string;
  /** Whether `text` is of its content type. */
  readonly isSound: boolean;
}

/** A {@link RawMessage} that is leased. */
export interface RawLeasedMessage extends RawMessage {
  readonly leaseId: string;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A queue over the HTTP API, with bodies as they are on the wire. */
export class RawQueue {
  readonly #connection: CloudflareConnection;

  constructor(connection: CloudflareConnection) {
    this.#connection = connection;
  }

  async pull(batchSize: number, visibilityTimeoutMs: number): Promise<readonly RawLeasedMessage[]> {
    const result = await this.#post('pull', encodePull({ batchSize, visibilityTimeoutMs }));
    const texts = textsBy('lease_id', result);
    return decodePullResult(result).messages.map((message) => ({
      ...rawOf(message, texts.get(message.leaseId)),
      leaseId: message.leaseId,
    }));
  }

  async peek(batchSize: number): Promise<readonly RawMessage[]> {
    const result = await this.#post('peek', encodePeek({ batchSize }));
    const texts = textsBy('ref', result);
    return decodePeekResult(result).messages.map((message) => rawOf(message, texts.get(message.ref)));
  }

  async #post(action: 'pull' | 'peek', body: string): Promise<unknown> {
    const { accountId, queueId, baseUrl, authHeaders, secrets, fetch } = this.#connection;
    const redact = createRedact(secrets);
    const headers = { accept: 'application/json', 'content-type': 'application/json', ...authHeaders };
    const send = createHttp({ fetch, clock: systemClock, redact, headers });
    const url = `${baseUrl}/accounts/${accountId}/queues/${queueId}/messages/${action}`;
    // Not to be aborted: what it leases must be known.
    const answer = await send({ action, method: 'POST', url, body }, { timeoutMs: 60_000 });
    const envelope = decodeEnvelope(answer.text);
    if (answer.status === 200 && envelope?.success === true) return envelope.result;
    throw failureOf({ action, envelope, ...answer }, { queueId, redact });
  }
}

/** What to push so that the body is the same again; `undefined` for what HTTP can't push. */
export function encodedBodyOf({ contentType, text, isSound }: RawMessage): EncodedBody | undefined {
  return isSound && (contentType === 'text' || contentType === 'json') ? new EncodedBody(contentType, text) : undefined;
}

/** The body as JSON on one line: JSON as it is, everything else as a string. */
export function jsonOf({ contentType, text, isSound }: RawMessage): string {
  // No string of JSON has a line break in it, so that what goes is white space between other things.
  return contentType === 'json' && isSound ? text.replaceAll(/[\r\n]+/g, ' ') : JSON.stringify(text);
}

function rawOf(message: PulledMessage | PeekedMessage, wireText: string | undefined): RawMessage {
  const { id, attempts, timestampMs, contentType, bodyError } = message;
  const isSound = wireText !== undefined && bodyError === undefined;
  const text = isSound && contentType === 'json' ? jsonText(wireText) : (wireText ?? '');
  return { id, attempts, timestampMs, contentType, text, isSound };
}

// JSON, or base64 of JSON: it was decoded already, so that one of the two is true.
function jsonText(wireText: string): string {
  try {
    JSON.parse(wireText);
    return wireText;
  } catch {
    return utf8.decode(decodeBase64(wireText));
  }
}

function textsBy(key: 'lease_id' | 'ref', result: unknown): ReadonlyMap<unknown, string> {
  const messages = isRecord(result) ? result['messages'] : result;
  const records = Array.isArray(messages) ? messages.filter(isRecord) : [];
  return new Map(records.flatMap(({ [key]: name, body }) => (typeof body === 'string' ? [[name, body] as const] : [])));
}
