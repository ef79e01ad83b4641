/**
 * A copy with more properties, or others. For `{ ...object, ...added }`, and whatever is added to what a spread has made,
 * V8 up to 11 (Node 20) gives each object a hidden class of its own: that takes ten times as long, makes all code slow that
 * such objects come to, and what they lead to is not collected with the young. An object literal that begins with a
 * property, and not with a spread, is free of it. Not for what strangers made: an own `__proto__` becomes the prototype.
 */
export function copyWith<Given extends object, Added extends object>(
  object: Given,
  added: Added,
): Omit<Given, keyof Added> & Added {
  const copy: object = {};
  return Object.assign(copy, object, added) as Omit<Given, keyof Added> & Added;
}
