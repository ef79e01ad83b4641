/** At most so many characters of an id are looked at: those of the service are random, and 32 long. */
const mostCharacters = 16;

/** FNV-1a of an id's UTF-16 units, a signed 32-bit number. Ids may share a hash: it tells where to look, not what is there. */
export function hashOf(id: string): number {
  const step = Math.ceil(id.length / mostCharacters);
  // Signed, as the engine keeps such numbers without a box.
  let hash = 0x811c9dc5 | 0;
  for (let index = 0; index < id.length; index += step) hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193);
  return hash;
}
