/** Where a number stands, for the message when it is wrong. */
export interface NumberRule {
  /** What was being done: `push` in `Cannot push as …`. */
  readonly action: string;
  readonly min: number;
  readonly max: number;
}

/**
 * Does nothing when `value` is an integer within the rule's range or absent.
 *
 * @throws TypeError when it is not a number, RangeError when it is another number
 */
export function requireInteger(name: string, value: unknown, rule: NumberRule): void {
  if (value === undefined) return;
  if (Number.isInteger(value) && typeof value === 'number' && value >= rule.min && value <= rule.max) return;
  const message = `Cannot ${rule.action} as '${name}' must be an integer in ${rule.min}..${rule.max}: current value is ${shown(value)}`;
  throw typeof value === 'number' ? new RangeError(message) : new TypeError(message);
}

/** A value as a message shows it: strings in quotes, objects by their type alone. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}
