/**
 * At most so many characters of an id are looked at, and all where there are no more: ids may differ in a few of them, as
 * those that count, or begin with a time, do.
 */
const mostCharacters = 64;

/** FNV-1a of an id's UTF-16 units, a signed 32-bit number. Ids may share a hash: it tells where to look, not what is there. */
export function hashOf(id: string): number {
  const step = Math.ceil(id.length / mostCharacters);
  // Signed, as the engine keeps such numbers without a box.
  let hash = 0x811c9dc5 | 0;
  for (let index = 0; index < id.length; index += step) hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193);
  // Tables look at the low bits, to which the higher ones of no character have come so far.
  return hash ^ (hash >>> 15);
}
