import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readsInARow } from '../../../src/transports/cloudflare/node-reads.ts';
import { RawServer, writeInTurns } from '../../contract-suites/raw-server.ts';

const hash = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('hex');

/** Everything that a connection reads of these pieces, as it is once all of it has come, and what it was when it came. */
async function read(
  pieces: readonly Uint8Array[],
  onChunk: (socket: Socket, count: number) => void = () => undefined,
): Promise<{ chunks: Buffer[]; hashes: string[] }> {
  await using server = await RawServer.listen(() => undefined, {
    onConnection: (socket) => void writeInTurns(socket, pieces).then(() => socket.end()),
  });
  const socket = connect({ port: server.port, host: '127.0.0.1', onread: readsInARow() });
  const chunks: Buffer[] = [];
  const hashes: string[] = [];
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    hashes.push(hash(chunk));
    onChunk(socket, chunks.length);
  });
  await once(socket, 'end');
  socket.destroy();
  return { chunks, hashes };
}

const bytesOf = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 31 + seed * 17) % 251);

describe('readsInARow()', () => {
  it('gives what came, and leaves it as it is for whoever keeps it', async () => {
    const lengths = fc.array(fc.oneof(fc.integer({ min: 1, max: 2_000 }), fc.integer({ min: 60_000, max: 150_000 })), {
      minLength: 1,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(lengths, async (all) => {
        const pieces = all.map(bytesOf);
        const { chunks, hashes } = await read(pieces);
        expect(Buffer.concat(chunks).equals(Buffer.concat(pieces))).toBe(true);
        expect(chunks.map(hash)).toEqual(hashes);
      }),
      { numRuns: 30 },
    );
  });

  it('asks for memory once for many reads', async () => {
    const pieces = Array.from({ length: 100 }, (_, n) => bytesOf(500, n));
    const { chunks } = await read(pieces);
    expect(chunks.length).toBeGreaterThan(10);
    expect(new Set(chunks.map(({ buffer }) => buffer)).size).toBe(1);
  });

  it('reads no further while the stream is paused', async () => {
    const pieces = Array.from({ length: 40 }, (_, n) => bytesOf(100_000, n));
    let most = 0;
    const { chunks } = await read(pieces, (socket, count) => {
      if (count % 20 !== 1) return;
      socket.pause();
      setTimeout(() => {
        most = Math.max(most, socket.readableLength);
        socket.resume();
      }, 30);
    });
    expect(Buffer.concat(chunks).equals(Buffer.concat(pieces))).toBe(true);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(3 * 64 * 1024);
  });

  it('keeps the memory of connections apart', async () => {
    const both = await Promise.all([1, 2].map((seed) => read([bytesOf(1_000, seed), bytesOf(70_000, seed)])));
    const [one, other] = both.map(({ chunks }) => new Set(chunks.map(({ buffer }) => buffer)));
    expect([...one!].filter((buffer) => other!.has(buffer))).toEqual([]);
    expect(both.map(({ chunks }) => chunks.map(hash))).toEqual(both.map(({ hashes }) => hashes));
  });
});
