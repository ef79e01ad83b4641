const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const invalid = 64;

// The six bits of each ASCII character. By hand, since `atob` forgives spaces and missing padding, and `Buffer` forgives
// everything; faster than `atob`, too.
const sextets: Uint8Array = new Uint8Array(128).fill(invalid);
for (let index = 0; index < alphabet.length; index += 1) sextets[alphabet.charCodeAt(index)] = index;

const padding = 61;

/**
 * Decodes standard base64, strictly: the alphabet with `+` and `/`, padded, no spaces, unused bits zero.
 *
 * @returns `undefined` when the text is anything else
 * @see https://www.rfc-editor.org/rfc/rfc4648#section-4
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  const { length } = text;
  if (length % 4 !== 0) return undefined;
  if (length === 0) return new Uint8Array(0);
  const pads = text.charCodeAt(length - 1) !== padding ? 0 : text.charCodeAt(length - 2) !== padding ? 1 : 2;
  const bytes = new Uint8Array((length / 4) * 3 - pads);
  const whole = pads === 0 ? length : length - 4;
  let at = 0;
  for (let index = 0; index < whole; index += 4) {
    const bits = quadAt(text, index);
    if (bits < 0) return undefined;
    bytes[at] = bits >> 16;
    bytes[at + 1] = bits >> 8;
    bytes[at + 2] = bits;
    at += 3;
  }
  return pads === 0 || decodeTail(text.slice(whole, length - pads), bytes, at) ? bytes : undefined;
}

/** Decodes the two or three characters before the padding; `false` when they aren't base64. */
function decodeTail(tail: string, bytes: Uint8Array, at: number): boolean {
  const bits = quadAt(tail.padEnd(4, 'A'), 0);
  if (bits < 0 || (bits & (tail.length === 2 ? 0xffff : 0xff)) !== 0) return false;
  bytes[at] = bits >> 16;
  if (tail.length === 3) bytes[at + 1] = bits >> 8;
  return true;
}

/** The 24 bits of four characters; negative when one isn't of the alphabet. */
function quadAt(text: string, index: number): number {
  const a = sextetAt(text, index);
  const b = sextetAt(text, index + 1);
  const c = sextetAt(text, index + 2);
  const d = sextetAt(text, index + 3);
  return (a | b | c | d) >= invalid ? -1 : (a << 18) | (b << 12) | (c << 6) | d;
}

function sextetAt(text: string, index: number): number {
  return sextets[text.charCodeAt(index)] ?? invalid;
}
