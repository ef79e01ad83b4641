import { rule } from './check-options.ts';

/** What is checked: where it comes from, as a message names it, and which names it may have. */
export interface Names {
  /** What it is of, as it reads before `named`; an option unless told otherwise. */
  readonly kind?: 'option' | 'setting' | 'fault';
  readonly allowed: readonly string[];
  /** The option that it is the value of; empty for the options themselves. */
  readonly path?: string;
}

/** Throws a `TypeError` unless a value is an object without names that nobody reads: a misspelt one would do nothing. */
export function checkNames(action: string, value: unknown, { kind = 'option', allowed, path = '' }: Names): void {
  checkObject(action, path === '' ? `${kind}s` : path, value);
  const unknown = Object.keys(value).find((name) => !allowed.includes(name));
  if (unknown === undefined) return;
  const full = path === '' ? unknown : `${path}.${unknown}`;
  throw new TypeError(`Cannot ${action} as there is no ${kind} named '${full}': there are ${allowed.join(', ')}`);
}

/** Throws a `TypeError` unless a value is an object, and no list. */
export function checkObject(action: string, name: string, value: unknown): asserts value is object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  throw new TypeError(rule(action, name, 'an object', value));
}
