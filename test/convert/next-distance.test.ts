import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Consumer, LeasedMessage } from '../../src/index.ts';
import { readersOfPackages } from './readers-of-packages.ts';
import { each, passOn, type Read, type Reader, readersOfPlatforms, type Work } from './readers.ts';

const soon = Promise.resolve();
const farthest = 60;

/** Eight messages at once, with the number of microtasks from each to the call of `next()` that follows. */
class Measured implements AsyncIterableIterator<LeasedMessage> {
  readonly distances: string[] = [];
  #given = 0;
  #ticks = 0;

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<LeasedMessage>> {
    if (this.#given > 0) this.distances.push(this.#ticks > farthest ? 'later' : String(this.#ticks));
    this.#given += 1;
    const number = this.#given;
    if (number > 8) return { done: true, value: undefined };
    this.#ticks = 0;
    const count = (): void => {
      if (this.#given !== number || this.#ticks > farthest) return;
      this.#ticks += 1;
      void soon.then(count);
    };
    void soon.then(count);
    return { done: false, value: { id: String(number) } as LeasedMessage };
  }

  async return(): Promise<IteratorResult<LeasedMessage>> {
    return { done: true, value: undefined };
  }
}

/** The distance after the second message, when every reader has begun. */
async function distance(read: Read, work: Work): Promise<string | undefined> {
  const messages = new Measured();
  await read(messages as unknown as Consumer, work);
  return messages.distances[1];
}

const others: readonly Reader[] = [
  ['`for await`', 'none', each],
  ['`for await` over a generator around the queue', 'none', (consumer, work) => each(passOn(consumer), work)],
];
const readers = [...others, ...readersOfPlatforms, ...readersOfPackages];

const page = readFileSync(join(import.meta.dirname, '../../docs/readers.md'), 'utf8');
const [, measured = ''] = page.split("## Why the library can't tell");
const rows = measured
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| read by') && !line.startsWith('| --'))
  .map((line) =>
    line
      .slice(1, -1)
      .split(' | ')
      .map((cell) => cell.trim()),
  );

describe('how soon a reader asks for the next message', () => {
  it('is told of readers of both kinds', () => {
    expect(new Set(rows.map(([, early]) => early))).toEqual(new Set(['no', 'yes']));
  });

  it.each(rows)('%s', async (name, early, atOnce, slow) => {
    const [, fares, read] = readers.find(([reader]) => reader === name) ?? [];
    expect(fares).toBe(early === 'yes' ? 'early' : 'none');
    if (read === undefined) throw new Error('no such reader');
    expect(await distance(read, () => Promise.resolve())).toBe(atOnce);
    expect(await distance(read, () => new Promise((resolve) => setTimeout(resolve, 3)))).toBe(slow);
  });
});
