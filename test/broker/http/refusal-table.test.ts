import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { refusalTable } from '../../../src/broker/http/refusal-table.ts';
import { type Refusal, refusals } from '../../../src/broker/http/refusal.ts';

const page = join(import.meta.dirname, '../../../docs/refusals.md');

describe('docs/refusals.md', () => {
  it('has a line for each row of the table, in its order', async () => {
    const lines = (await readFile(page, 'utf8')).split('\n').filter((line) => /^\| \d/.test(line));
    const cells = lines.map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
    const rows = Object.values(refusalTable).map(({ status, code, text, source, seen }) => [
      String(status),
      String(code),
      `\`${text}\``,
      source,
      seen,
    ]);
    expect(cells).toEqual(rows);
  });
});

describe('refusals', () => {
  it('are each of a row of the table, with all of its text filled in', () => {
    const made: readonly Refusal[] = [
      refusals.authentication(401),
      refusals.authentication(403),
      refusals.noAccount('/x'),
      refusals.methodNotAllowed('PUT', ['GET']),
      refusals.messageSize(2, 1),
      refusals.batchSize(2, 1),
      refusals.batchCount(2, 1),
      refusals.unexpected('Required', 'messages[3].body'),
      refusals.queueNameTaken('jobs'),
      refusals.eventTypes(['a', 'b']),
      refusals.internal(),
    ];
    const known = Object.values(refusalTable).map(({ status, code }) => `${status} ${code}`);
    for (const { status, code, message } of made) {
      expect(known).toContain(`${status} ${code}`);
      expect(message).not.toMatch(/[{}]|undefined/);
    }
    expect(refusals.eventTypes(['a', 'b']).message).toBe('Unrecognized event types: a, b');
  });

  it('point at what is wrong by a JSON pointer', () => {
    expect(refusals.contentType('content_type').pointer).toBe('/content_type');
    expect(refusals.contentType('messages[1].content_type').pointer).toBe('/messages/1/content_type');
    expect(refusals.unexpected('Required', 'messages[12].body').pointer).toBe('/messages/12/body');
  });
});
