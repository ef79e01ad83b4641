import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openTwoQueues } from './two-queues.ts';
import type { ConsumeOptions } from '../../src/index.ts';
import { readersOfPackages } from './readers-of-packages.ts';
import { type Fares, gathered, type Read, type Reader, readersOfPlatforms } from './readers.ts';

const readers = [...readersOfPlatforms, ...readersOfPackages];

/** The cells of the tables of a page, up to where it tells of other things. */
function rowsOf(page: string): readonly (readonly string[])[] {
  const [text = ''] = readFileSync(join(import.meta.dirname, '../..', page), 'utf8').split('\n## Why');
  const lines = text.split('\n');
  const rows = lines.filter((line) => line.startsWith('| '));
  return rows.map((line) =>
    line
      .slice(1, -1)
      .split(' | ')
      .map((cell) => cell.trim()),
  );
}

function titled(reader: Reader): readonly [name: string, fares: Fares, reader: Reader] {
  return [reader[0], reader[1], reader];
}

describe('readers of a queue', () => {
  const count = 12;

  /** How many messages were acknowledged before their work had ended. */
  async function earlyAcks(options: ConsumeOptions, read: Read, lapsed = 0): Promise<number> {
    const queues = openTwoQueues();
    queues.fill(count);
    const done = new Map<string, number>();
    const consumer = queues.jobs.consume({ ...options, stopWhenEmpty: true });
    const reading = read(consumer, async (message) => {
      await queues.wait(50);
      done.set(message.id, queues.clock.now());
      void message.ack();
    });
    await queues.run(Promise.all([reading, consumer.closed]));
    expect(done.size).toBe(count);
    expect(queues.entries('delivered')).toHaveLength(count);
    expect(queues.entries('acked')).toHaveLength(count - lapsed);
    return queues.entries('acked').filter(({ messageId, at }) => at < (done.get(messageId) ?? Infinity)).length;
  }

  const takers = readers.filter(([, byDefault]) => byDefault !== 'refused');

  it.each(takers.map(titled))('%s: early acknowledgements by default: %s', async (_, fares, [, , read]) => {
    expect((await earlyAcks({}, read)) > 0 ? 'early' : 'none').toBe(fares);
  });

  it.each(takers.map(titled))(
    "%s: no early acknowledgement with settle: 'manual'",
    async (_, __, [, , read, gathers]) => {
      const minInFlight = gathers === undefined ? 1 : gathered;
      const kept = gathers === 'keeps the last' ? 1 : 0;
      expect(await earlyAcks({ settle: 'manual', minInFlight }, read, kept)).toBe(0);
    },
  );

  const refusers = readers.filter((reader) => !takers.includes(reader));

  it.each(refusers.map(titled))('%s: %s', async (_, __, [, , read]) => {
    await expect(earlyAcks({}, read)).rejects.toThrow();
  });

  const byDefault = { none: 'safe', early: '**acknowledges early**', refused: 'refuses' };

  const manual = {
    each: 'safe',
    gathers: 'safe with `minInFlight: n`',
    'keeps the last': 'safe, but the last one lapses',
  };

  function expectedCells([reader, fares, , gathers]: Reader): readonly string[] {
    if (fares === 'refused') return [reader, 'refuses', 'refuses'];
    return [reader, byDefault[fares], manual[gathers ?? 'each']];
  }

  const rows = rowsOf('docs/readers.md');

  it.each(readers.map((reader) => [reader[0], reader] as const))(
    'are in docs/readers.md, as they fare: %s',
    (_, reader) => {
      const cells = rows.find(([name]) => name === reader[0]) ?? [];
      expect(cells.slice(0, 3)).toEqual(expectedCells(reader));
      // What is not safe has another way beside it.
      if (reader[1] !== 'none') expect(cells[3]).not.toBe('');
    },
  );

  const named = new Set(rows.map(([name]) => name));

  it('are in docs/surfaces.md as there', () => {
    const some = rowsOf('docs/surfaces.md').filter(([name]) => named.has(name));
    expect(some.length).toBeGreaterThan(5);
    for (const row of some) expect(rows).toContainEqual(row);
  });

  it('are in README.md as there, with the name of what to use', () => {
    const [, ...some] = rowsOf('README.md').filter(([name]) => named.has(name));
    expect(some.length).toBeGreaterThan(5);
    for (const [name, fares, instead = ''] of some) {
      const row = rows.find(([each]) => each === name) ?? [];
      expect(row[1]).toBe(fares);
      expect(row[2]).toBe('safe');
      const [called = ''] = /[\w.]+\(/.exec(instead) ?? [];
      expect(row[3]).toContain(called);
      if (fares !== 'safe') expect(called).not.toBe('');
    }
  });
});
