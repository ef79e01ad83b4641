/** A value within JSON text, as it was written. */
interface Child {
  /** The field's name; empty in an array. */
  readonly name: string;
  readonly source: string;
}

/**
 * The value of a field as it was written, digit for digit; of several with that name the last one, which is the one that
 * `JSON.parse` takes. `undefined` when there is none.
 *
 * @param json - valid JSON, an object
 */
export function fieldSource(json: string, name: string): string | undefined {
  return childrenOf(json).findLast((child) => child.name === name)?.source;
}

/**
 * The elements of an array as they were written.
 *
 * @param json - valid JSON, an array
 */
export function elementSources(json: string): readonly string[] {
  return childrenOf(json).map(({ source }) => source);
}

/** What stands directly within an object or an array of valid JSON: nothing here looks for mistakes. */
function childrenOf(json: string): readonly Child[] {
  const children: Child[] = [];
  let depth = 0;
  let start = 0;
  let name = '';
  for (let at = 0; at < json.length; at += 1) {
    switch (json[at]) {
      case '"':
        at = stringEnd(json, at);
        break;
      case '{':
      case '[':
        depth += 1;
        if (depth === 1) start = at + 1;
        break;
      case ':':
        if (depth > 1) break;
        name = JSON.parse(json.slice(start, at)) as string;
        start = at + 1;
        break;
      case ',':
      case '}':
      case ']': {
        const isWithin = depth === 1;
        if (json[at] !== ',') depth -= 1;
        // An empty object or array has no child before its end.
        const source = isWithin ? json.slice(start, at).trim() : '';
        if (source !== '') children.push({ name, source });
        if (isWithin) start = at + 1;
        break;
      }
      default:
    }
  }
  return children;
}

/** Where the string that begins at `start` ends: at the first quote with an even number of backslashes before it. */
function stringEnd(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); ; end = json.indexOf('"', end + 1)) {
    let before = end;
    while (json[before - 1] === '\\') before -= 1;
    if ((end - before) % 2 === 0) return end;
  }
}
