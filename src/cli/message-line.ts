import { jsonOf, type RawMessage } from './raw-queue.ts';

/** A message as one line of JSON: `{"id", "attempts", "timestamp", "contentType", "body"}`. */
export function messageLine(message: RawMessage): string {
  const { id, attempts, timestampMs, contentType } = message;
  const head = JSON.stringify({ id, attempts, timestamp: new Date(timestampMs).toISOString(), contentType });
  return `${head.slice(0, -1)},"body":${jsonOf(message)}}\n`;
}
