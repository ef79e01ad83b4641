/** Sorts warnings, a map from id to text or, in older answers, a list of texts, by the ids they are about. */
export function attributeWarnings(
  warnings: unknown,
  listIds: () => readonly string[],
): { readonly about: ReadonlyMap<string, string>; readonly others: readonly string[] } {
  const about = new Map<string, string>();
  const others: string[] = [];
  if (typeof warnings !== 'object' || warnings === null || Object.keys(warnings).length === 0) return { about, others };
  const ids = new Set(listIds());
  const entries: readonly (readonly [string, unknown])[] = Array.isArray(warnings)
    ? warnings.map((warning: unknown) => ['', warning] as const)
    : Object.entries(warnings);
  for (const [id, warning] of entries) {
    const text = typeof warning === 'string' ? warning : (JSON.stringify(warning) ?? '');
    const named = ids.has(id) ? [id] : id === '' ? [...ids].filter((each) => mentions(text, each)) : [];
    for (const each of named) about.set(each, text);
    if (named.length === 0) others.push(id === '' ? text : `${id}: ${text}`);
  }
  return { about, others };
}

/** Whether a text contains an id, and not only as a part of a longer one: `lease-1` is not in `lease-10 expired`. */
export function mentions(text: string, id: string): boolean {
  if (id === '') return false;
  for (let at = text.indexOf(id); at >= 0; at = text.indexOf(id, at + 1)) {
    if (!isIdCharacter(text[at - 1]) && !isIdCharacter(text[at + id.length])) return true;
  }
  return false;
}

function isIdCharacter(character: string | undefined): boolean {
  return character !== undefined && /[\w-]/.test(character);
}
