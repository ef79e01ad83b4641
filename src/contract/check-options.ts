/** The least and the most that a number may be, both included. */
export type Range = readonly [min: number, max: number];

/** How much of a string a message shows, in characters. */
const shownLength = 80;

/** Throws a `RangeError` or `TypeError` unless the value is a whole number within the range. */
export function checkInteger(action: string, name: string, value: unknown, range: Range): void {
  if (isWithin(range, value) && Number.isInteger(value)) return;
  throw wrongNumber(rule(action, name, `an integer ${showRange(range)}`, value), value);
}

/** Throws a `RangeError` or `TypeError` unless the value is a number within the range. */
export function checkNumber(action: string, name: string, value: unknown, range: Range): void {
  if (!isWithin(range, value)) throw wrongNumber(rule(action, name, `a number ${showRange(range)}`, value), value);
}

function isWithin([min, max]: Range, value: unknown): boolean {
  return typeof value === 'number' && value >= min && value <= max;
}

function wrongNumber(message: string, value: unknown): Error {
  return typeof value === 'number' ? new RangeError(message) : new TypeError(message);
}

/** Throws a `TypeError` unless the value is one of the given. */
export function checkOneOf(action: string, name: string, value: unknown, allowed: readonly unknown[]): void {
  if (allowed.includes(value)) return;
  throw new TypeError(rule(action, name, `one of ${allowed.map(show).join(', ')}`, value));
}

/** Throws a `TypeError` unless the value is a function. */
export function checkFunction(action: string, name: string, value: unknown): void {
  if (typeof value !== 'function') throw new TypeError(rule(action, name, 'a function', value));
}

/** Throws a `TypeError` unless the options are an object. */
export function checkOptions(action: string, options: unknown, name = 'options'): void {
  if (typeof options !== 'object' || options === null) throw new TypeError(rule(action, name, 'an object', options));
}

/** Throws a `TypeError` unless the value is an `AbortSignal`, or left out. */
export function checkSignal(action: string, value: AbortSignal | undefined): void {
  if (value !== undefined && typeof value?.addEventListener !== 'function')
    throw new TypeError(rule(action, 'signal', 'an AbortSignal', value));
}

/** The one form of every message about a wrong option. */
export function rule(action: string, name: string, must: string, value: unknown): string {
  return `Cannot ${action} as '${name}' must be ${must}: current value is ${show(value)}`;
}

function showRange([min, max]: Range): string {
  return max === Infinity ? `of ${min} or more` : `in ${min}..${max}`;
}

/** A value as a message shows it: a string in quotes, on one line and not too long; an object by its type alone. */
export function show(value: unknown): string {
  if (typeof value === 'string') {
    const start = value.length > shownLength ? `${value.slice(0, shownLength)}…` : value;
    return `'${JSON.stringify(start).slice(1, -1)}'`;
  }
  if (typeof value === 'object' && value !== null) return `of type ${tagOf(value)}`;
  if (typeof value === 'function') return 'a function';
  return String(value);
}

/** What a value is, by its tag: `Map`, `Error`, `Object`. */
export function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
