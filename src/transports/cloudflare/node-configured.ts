import { channel } from 'node:diagnostics_channel';
import { runInNewContext } from 'node:vm';
import { isDefaultDispatcher } from './node-dispatcher.ts';

// What undici keeps its dispatcher under, by the versions of its interface.
const dispatcherName = Symbol.for('undici.globalDispatcher.1');
const newerDispatcherName = Symbol.for('undici.globalDispatcher.2');

const onFetch = channel('undici:request:create');

/**
 * Whether somebody saw to how `fetch` works: put another in its place, as mocks and tracers do, gave it a dispatcher,
 * as for a proxy, or listens to its requests. Where that can't be told, somebody did.
 */
export function isFetchConfigured(): boolean {
  return (
    onFetch.hasSubscribers ||
    globalThis.fetch !== knownFetch() ||
    hasBeenSet(dispatcherName) ||
    hasBeenSet(newerDispatcherName)
  );
}

function hasBeenSet(name: symbol): boolean {
  const dispatcher: unknown = Reflect.get(globalThis, name);
  return dispatcher !== undefined && !isDefaultDispatcher(dispatcher);
}

let judged: unknown;
let own: unknown;

/** The runtime's own `fetch`, if that is what is there. */
function knownFetch(): unknown {
  const { fetch } = globalThis;
  if (judged === fetch) return own;
  judged = fetch;
  own = isOwn(fetch) ? fetch : undefined;
  return own;
}

// Known by its source, which nothing else has. From a realm of its own, since tracers make this one say of what they
// wrapped what it was before.
function isOwn(fetch: unknown): boolean {
  try {
    const toString = runInNewContext('Function.prototype.toString') as () => string;
    return toString.call(fetch).includes('internal/deps/undici/undici');
  } catch {
    return false;
  }
}
