import { promisify } from 'node:util';
import zlib from 'node:zlib';

const gunzip = promisify(zlib.gunzip);
const inflate = promisify(zlib.inflate);
const inflateRaw = promisify(zlib.inflateRaw);
const brotliDecompress = promisify(zlib.brotliDecompress);

/**
 * Unpacks the body of an answer.
 *
 * @param codings - the `content-encoding`, several by commas in the order in which they were made
 * @param maxOutputLength - the most that may come of it, in bytes
 * @throws Error when it is packed in an unknown way, is not what it says, or comes to more
 */
export async function decodeContent(bytes: Buffer, codings: string, maxOutputLength: number): Promise<Buffer> {
  let rest = bytes;
  for (const coding of codings.toLowerCase().split(',').toReversed()) {
    rest = await decode(rest, coding.trim(), { maxOutputLength, chunkSize: 128 * 1024 });
  }
  return rest;
}

async function decode(bytes: Buffer, coding: string, options: zlib.ZlibOptions): Promise<Buffer> {
  // An answer without a body is none of anything.
  if (bytes.length === 0) return bytes;
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return gunzip(bytes, options);
    case 'deflate':
      // Some leave out the frame that the standard asks for, by which it is known.
      return isFramed(bytes) ? inflate(bytes, options) : inflateRaw(bytes, options);
    case 'br':
      return brotliDecompress(bytes, options);
    case 'identity':
    case '':
      return bytes;
    default:
      throw new Error(`The answer is packed as '${coding}', which was not asked for`);
  }
}

function isFramed([first = 0]: Buffer): boolean {
  return (first & 0x0f) === 8;
}
