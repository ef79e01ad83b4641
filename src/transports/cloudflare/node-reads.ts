import { Buffer } from 'node:buffer';
import type { OnReadOpts, Socket } from 'node:net';

/** The most that is read at once, in bytes. As much as Node reads by itself. */
const readBytes = 64 * 1024;
/** How much memory is asked for at once, in bytes. From 1 MiB on, each piece is mapped anew, and the gain is gone. */
const pieceBytes = 256 * 1024;

/**
 * Has one connection read into memory that is asked for seldom, one read behind the other. No byte is written twice: what
 * somebody keeps of an answer stays as it is.
 *
 * Left to itself, Node 20 to 26 asks for 64 KiB for every read, and for as much again as came, to which it copies that.
 * All of it is freed when garbage is collected, and glibc may give it to the system, which has to find and clear it anew
 * for the next answers: a third of what a message costs in `npm run bench -- --wire`, and more.
 */
export function readsInARow(): OnReadOpts {
  let piece = new Uint8Array(0);
  let used = 0;
  return {
    buffer() {
      if (used + readBytes > piece.length) {
        piece = Buffer.allocUnsafeSlow(pieceBytes);
        used = 0;
      }
      return piece.subarray(used, used + readBytes);
    },
    // As a stream, since the HTTP client reads one: given a buffer, a socket pushes nothing by itself.
    callback(this: Socket, length: number, place: Uint8Array) {
      used += length;
      return this.push(place.subarray(0, length));
    },
  };
}
