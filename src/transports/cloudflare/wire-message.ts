import { copyWith } from '../../contract/copy-with.ts';
import { QueueError } from '../../contract/errors.ts';
import type { Action } from './action.ts';
import type { ContentType, PeekedMessage, PulledMessage } from '../../contract/message.ts';
import type { PeekResult, PullResult } from '../../contract/transport.ts';
import { decodeBody, rawBody } from './decode-body.ts';
import { decodeMetrics, lacking, metricsOf } from './wire-answer.ts';
import { isRecord, numberOr, type WireRecord } from './wire-value.ts';

/**
 * Reads the result of a pull. A message without a lease can't be settled, so it is left out, and comes again when its
 * lease ends; whatever else is missing is filled in. One odd message never costs the others of its pull.
 *
 * @throws QueueError `bad-answer` without a list, or when none of its messages can be settled: nobody knows then whether
 * the queue is empty
 */
export function decodePullResult(result: unknown): PullResult {
  const messages: PulledMessage[] = [];
  const wires = messagesOf(result, 'pull');
  for (const wire of wires) {
    if (!isRecord(wire)) continue;
    const leaseId = wire['lease_id'];
    if (typeof leaseId === 'string' && leaseId !== '') messages.push(decodePulled(wire, leaseId));
  }
  if (messages.length === 0 && wires.length > 0) throw lacking('pull', 'message with a lease');
  const backlogCount = backlogOf(result);
  return backlogCount === undefined ? { messages } : { messages, backlogCount };
}

/**
 * Reads the result of a peek. A message without a `ref` is kept: it can be looked at, though not purged.
 *
 * @throws QueueError `bad-answer` without a list
 */
export function decodePeekResult(result: unknown): PeekResult {
  return { messages: messagesOf(result, 'peek').filter(isRecord).map(decodePeeked) };
}

// The result of a pull was the list itself in the first versions of the API. An empty queue has an empty one.
function messagesOf(result: unknown, action: Action): readonly unknown[] {
  const messages = isRecord(result) ? result['messages'] : result;
  if (Array.isArray(messages)) return messages;
  throw lacking(action, 'list of messages');
}

function backlogOf(result: unknown): number | undefined {
  const count = isRecord(result) ? numberOr(result['message_backlog_count'], -1) : -1;
  return count >= 0 ? count : decodeMetrics(metricsOf(result))?.backlogCount;
}

// This and what it calls run once for each message: one object of one shape, and no closure.
function decodePulled(wire: WireRecord, leaseId: string): PulledMessage {
  const id = textOr(wire['id'], leaseId);
  const metadata = decodeMetadata(wire['metadata']);
  const contentType = contentTypeOf(metadata);
  const text = wire['body'];
  const raw = rawOrNone(contentType, text);
  const decoded = decodeOrError(id, contentType, raw);
  const failed = decoded instanceof QueueError;
  const message = {
    id,
    leaseId,
    attempts: attemptsOf(wire),
    timestampMs: numberOr(wire['timestamp_ms'], 0),
    contentType,
    metadata,
    body: failed ? undefined : decoded,
    raw: raw ?? '',
    bodyLength: typeof text === 'string' ? text.length : 0,
  };
  return failed ? copyWith(message, { bodyError: decoded }) : message;
}

function decodePeeked(wire: WireRecord): PeekedMessage {
  const ref = textOr(wire['ref'], '');
  const id = textOr(wire['id'], ref);
  const metadata = decodeMetadata(wire['metadata']);
  const contentType = contentTypeOf(metadata);
  const raw = rawOrNone(contentType, wire['body']);
  const decoded = decodeOrError(id, contentType, raw);
  const failed = decoded instanceof QueueError;
  const message = {
    id,
    ref,
    attempts: numberOr(wire['attempts'], 0),
    timestampMs: numberOr(wire['timestamp_ms'], 0),
    contentType,
    metadata,
    body: failed ? undefined : decoded,
    raw: raw ?? '',
  };
  return failed ? copyWith(message, { bodyError: decoded }) : message;
}

// A delivery is the first one at least; some have seen the live service count from 0.
function attemptsOf(wire: WireRecord): number {
  return Math.max(1, numberOr(wire['attempts'], 1));
}

function rawOrNone(contentType: ContentType, text: unknown): string | Uint8Array | undefined {
  return typeof text === 'string' ? rawBody(contentType, text) : undefined;
}

/** The decoded body, or the reason why there is none: no body is a `QueueError`. */
function decodeOrError(id: string, contentType: ContentType, raw: string | Uint8Array | undefined): unknown {
  if (raw === undefined) return undecodable(id, contentType, new Error('the service sent no text'));
  try {
    return decodeBody(contentType, raw);
  } catch (error) {
    return undecodable(id, contentType, error);
  }
}

function undecodable(id: string, contentType: ContentType, cause: unknown): QueueError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new QueueError(`Cannot decode the body of message ${id} as ${contentType}: ${reason}`, {
    code: 'undecodable-body',
    cause,
  });
}

type Metadata = PulledMessage['metadata'];

const noMetadata: Metadata = Object.freeze({});

/** Metadata with strings for values; the very object from the answer when it has no others. */
function decodeMetadata(metadata: unknown): Metadata {
  if (!isRecord(metadata)) return noMetadata;
  return hasOnlyTexts(metadata) ? metadata : Object.fromEntries(textEntries(metadata));
}

function hasOnlyTexts(metadata: WireRecord): metadata is Metadata {
  for (const key in metadata) if (typeof metadata[key] !== 'string') return false;
  return true;
}

function textEntries(metadata: WireRecord): [string, string][] {
  return Object.entries(metadata).flatMap(([key, value]) => {
    if (value === null) return [];
    return [[key, typeof value === 'string' ? value : JSON.stringify(value)]];
  });
}

/**
 * The content type that the metadata names. Without one, or with one unknown to us, a body is text: that is what it
 * was on the wire, and whether a text becomes a number must not depend on how it looks.
 */
function contentTypeOf(metadata: Metadata): ContentType {
  const named = metadata['CF-Content-Type'] ?? findIgnoringCase(metadata, 'cf-content-type');
  switch (named) {
    case 'json':
    case 'text':
    case 'bytes':
    case 'v8':
      return named;
    case undefined:
      return 'text';
    default:
      return knownType(named.trim().toLowerCase());
  }
}

function knownType(name: string): ContentType {
  return name === 'json' || name === 'bytes' || name === 'v8' ? name : 'text';
}

function findIgnoringCase(metadata: Metadata, name: string): string | undefined {
  for (const key in metadata) if (key.toLowerCase() === name) return metadata[key];
  return undefined;
}

function textOr(value: unknown, otherwise: string): string {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : otherwise;
}
