const verdicts = new WeakMap<object, boolean>();

/** Whether a global dispatcher of undici's is the one that it makes for itself, and not one that somebody set. */
export function isDefaultDispatcher(dispatcher: unknown): boolean {
  if (typeof dispatcher !== 'object' || dispatcher === null) return false;
  const known = verdicts.get(dispatcher);
  if (known !== undefined) return known;
  const verdict = isUnchangedAgent(dispatcher) || isDefaultOfOldInterface(dispatcher);
  verdicts.set(dispatcher, verdict);
  return verdict;
}

/** Whether it is an `Agent` of undici's own, of whatever version, in nothing different from one made with no options. */
function isUnchangedAgent(dispatcher: object): boolean {
  const type = typeOf(dispatcher);
  // A class derived from it may do anything.
  if (type?.name !== 'Agent' || parentOf(type).name !== 'DispatcherBase') return false;
  // What is composed of interceptors looks like the agent below them, but for this method.
  if (Reflect.get(dispatcher, 'dispatch') !== Reflect.get(type.prototype, 'dispatch')) return false;
  try {
    return isLike(dispatcher, new type());
  } catch {
    return false;
  }
}

// Newer versions wrap what they set for those that speak the older interface; what they wrapped is beside it.
function isDefaultOfOldInterface(dispatcher: object): boolean {
  const inner: unknown = Reflect.get(globalThis, Symbol.for('undici.globalDispatcher.2'));
  return typeOf(dispatcher)?.name === 'Dispatcher1Wrapper' && inner !== dispatcher && isDefaultDispatcher(inner);
}

function typeOf(value: object): (new () => object) | undefined {
  const type: unknown = Reflect.get(value, 'constructor');
  return typeof type === 'function' ? (type as new () => object) : undefined;
}

function parentOf(type: object): { readonly name?: unknown } {
  const parent: unknown = Object.getPrototypeOf(type);
  return typeof parent === 'function' ? parent : {};
}

const deepest = 4;

/** Whether two values have the same options. What holds connections, maps and the like, is no option. */
function isLike(one: unknown, other: unknown, depth = 0): boolean {
  if (typeof one === 'function' && typeof other === 'function') return String(one) === String(other);
  if (!isPlain(one, depth) || !isPlain(other, depth))
    return Object.is(one, other) || (isOpaque(one) && isOpaque(other));
  const keys = Reflect.ownKeys(one);
  if (keys.length !== Reflect.ownKeys(other).length || depth > deepest) return false;
  return keys.every((key) => isLike(Reflect.get(one, key), Reflect.get(other, key), depth + 1));
}

/** Whether it is looked into: the dispatcher itself, a list, an object of no class. */
function isPlain(value: unknown, depth: number): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return depth === 0 || Array.isArray(value) || prototype === Object.prototype || prototype === null;
}

function isOpaque(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
