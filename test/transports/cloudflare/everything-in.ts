import { inspect } from 'node:util';

/** Everything that a logger could print of an error. */
export function everythingIn(error: unknown): string {
  const parts: string[] = [];
  for (let each = error, depth = 0; each instanceof Error && depth < 10; each = each.cause, depth += 1) {
    parts.push(each.message, String(each.stack), String(each), JSON.stringify(each));
    for (const name of Object.getOwnPropertyNames(each)) parts.push(String(Reflect.get(each, name)));
  }
  return [...parts, JSON.stringify(error), inspect(error, { depth: 10, showHidden: true, getters: true })].join('\n');
}
