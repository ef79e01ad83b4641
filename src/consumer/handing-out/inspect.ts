import { show } from '../../contract/check-options.ts';
import type { LeasedMessage } from './leased-message.ts';
import type { MessageBatch } from './message-batch.ts';

/** What an object is asked for that is printed: by Node and Bun, and by Deno. */
const inspectors = [Symbol.for('nodejs.util.inspect.custom'), Symbol.for('Deno.customInspect')];

/** How much of a body is shown, in characters. */
const shownLength = 80;

/** How many messages of a batch are shown. */
const shownMessages = 10;

/** Has the instances of a class printed as a text, rather than as all that they hold. */
export function printAs<Instance>(prototype: Instance, print: (instance: Instance) => string): void {
  for (const inspector of inspectors) {
    Object.defineProperty(prototype, inspector, {
      value(this: Instance) {
        return print(this);
      },
    });
  }
}

/** A message on one line, with the start of the body as it came. */
export function printMessage(message: LeasedMessage): string {
  const { id, attempts, timestamp, leaseExpiresAt, leaseRemainingMs, contentType } = message;
  const ageMs = Math.round(leaseExpiresAt - leaseRemainingMs - timestamp.getTime());
  const lease = `ageMs: ${ageMs}, leaseRemainingMs: ${Math.round(leaseRemainingMs)}`;
  return `LeasedMessage { id: ${show(id)}, attempts: ${attempts}, ${lease}, ${contentType}: ${bodyOf(message)} }`;
}

function bodyOf(message: LeasedMessage): string {
  try {
    const { raw, contentType } = message;
    if (typeof raw !== 'string') return `Uint8Array(${raw.length})`;
    if (contentType !== 'json') return show(raw);
    return (raw.length > shownLength ? `${raw.slice(0, shownLength)}…` : raw).replaceAll(/\s+/g, ' ');
  } catch {
    return show(message.body);
  }
}

/** A batch by its first messages, a line each. */
export function printBatch({ queue, messages }: MessageBatch): string {
  const lines = messages.slice(0, shownMessages).map((message) => `  ${printMessage(message)},\n`);
  const more = messages.length > shownMessages ? `  … ${messages.length - shownMessages} more\n` : '';
  return `MessageBatch { queue: ${show(queue)}, messages: [\n${lines.join('')}${more}] }`;
}
