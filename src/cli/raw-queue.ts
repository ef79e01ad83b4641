import { Buffer } from 'node:buffer';
import type { PeekedMessage, PulledMessage } from '../contract/message.ts';
import { encodeRaw, type MovableMessage, rawOf } from '../contract/raw-body.ts';
import type { QueueTransport } from '../contract/transport.ts';

/** A message whose body is still what was pushed: numbers keep all their digits. */
export interface RawMessage extends MovableMessage {
  readonly attempts: number;
  readonly timestampMs: number;
  /** The text of a `text` body, the JSON of a `json` body, base64 of the others. */
  readonly text: string;
  /** Whether `text` is of its content type. */
  readonly isSound: boolean;
}

/** A {@link RawMessage} that is leased. */
export interface RawLeasedMessage extends RawMessage {
  readonly leaseId: string;
}

/** Not to be aborted: what a pull leases must be known. */
const request = { timeoutMs: 60_000 };

/** A queue with bodies as they were pushed. */
export class RawQueue {
  readonly #transport: QueueTransport;

  constructor(transport: QueueTransport) {
    this.#transport = transport;
  }

  async pull(batchSize: number, visibilityTimeoutMs: number): Promise<readonly RawLeasedMessage[]> {
    const { messages } = await this.#transport.pull({ batchSize, visibilityTimeoutMs }, request);
    return messages.map((message) => ({ ...rawMessageOf(message), leaseId: message.leaseId }));
  }

  async peek(batchSize: number): Promise<readonly RawMessage[]> {
    return (await this.#transport.peek({ batchSize }, request)).messages.map(rawMessageOf);
  }
}

/** Why a message can't be pushed so that its body is the same again; `undefined` where it can. */
export function whyUnmovable(message: RawMessage): string | undefined {
  try {
    encodeRaw(message);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The body as JSON on one line: JSON as it is, everything else as a string. */
export function jsonOf({ contentType, text, isSound }: RawMessage): string {
  // No string of JSON has a line break in it, so that what goes is white space between other things.
  return contentType === 'json' && isSound ? text.replaceAll(/[\r\n]+/g, ' ') : JSON.stringify(text);
}

function rawMessageOf(message: PulledMessage | PeekedMessage): RawMessage {
  const { id, attempts, timestampMs, contentType, bodyError } = message;
  const raw = rawOf(message);
  const text = typeof raw === 'string' ? raw : Buffer.from(raw).toString('base64');
  return { id, attempts, timestampMs, contentType, raw, text, isSound: bodyError === undefined };
}
