// Answers pulls and acks by what it has recorded, in a process of its own: what a broker would cost is left out. Each
// pull gets 100 messages whose ids nobody has seen before. Sends its parent the port that it listens at.
import { randomBytes } from 'node:crypto';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { bodyOf } from './scenario.ts';

const messages = 100;
const idLength = 32;
const leaseIdLength = 240;
/** What of an id differs from pull to pull: nobody can tell the rest from chance. */
const countedLength = 10;

const placeholder = '#'.repeat(countedLength);
const chance = (length: number): string =>
  randomBytes(length)
    .toString('base64url')
    .slice(0, length - countedLength);

const pullAnswer = answer({
  message_backlog_count: 1_000_000,
  messages: Array.from({ length: messages }, (_, n) => ({
    id: placeholder + chance(idLength),
    lease_id: placeholder + chance(leaseIdLength),
    body: JSON.stringify(bodyOf(n, 200)),
    timestamp_ms: 1_689_615_013_586,
    attempts: 1,
    metadata: { 'CF-sourceMessageSource': 'http', 'CF-Content-Type': 'json' },
  })),
});
const places = placesOf(pullAnswer, placeholder);

let counted = 0;

function pull(): Buffer {
  const bytes = Buffer.from(pullAnswer);
  for (const place of places) bytes.write(String(counted++).padStart(countedLength, '0'), place, 'latin1');
  return bytes;
}

function answer(result: object): Buffer {
  const body = JSON.stringify({ success: true, errors: [], messages: [], result });
  const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  return Buffer.from(head + body, 'latin1');
}

function placesOf(bytes: Buffer, text: string): readonly number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + text.length)) found.push(at);
  return found;
}

function serve(socket: Socket): void {
  let text = '';
  socket.on('error', () => undefined);
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
    for (let end = endOf(text); end <= text.length; end = endOf(text)) {
      const isPull = text.slice(0, text.indexOf('\r\n')).includes('/messages/pull');
      const acks = isPull ? 0 : text.slice(0, end).split('"lease_id"').length - 1;
      socket.write(isPull ? pull() : answer({ ackCount: acks, retryCount: 0, warnings: [] }));
      text = text.slice(end);
    }
  });
}

/** Where the first request of a text ends. */
function endOf(text: string): number {
  const head = text.indexOf('\r\n\r\n') + 4;
  if (head < 4) return Infinity;
  return head + Number(/content-length: (\d+)/i.exec(text.slice(0, head))?.[1] ?? '0');
}

const server = createServer({ noDelay: true }, serve).listen(0, '127.0.0.1', () => {
  process.send?.((server.address() as AddressInfo).port);
});
