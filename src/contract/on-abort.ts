/** Who is to be told when a signal aborts. */
const listening = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls back when a signal aborts. All who listen to a signal share one listener, since Node warns of a leak when there are
 * more than ten: a service has one signal for its end, and many consumers.
 *
 * @param callback - one that is listening already is called once
 * @returns stops listening
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const callbacks = listening.get(signal) ?? listen(signal);
  callbacks.add(callback);
  return () => {
    callbacks.delete(callback);
    if (callbacks.size > 0 || listening.get(signal) !== callbacks) return;
    listening.delete(signal);
    signal.removeEventListener('abort', tellAll);
  };
}

function listen(signal: AbortSignal): Set<() => void> {
  const callbacks = new Set<() => void>();
  listening.set(signal, callbacks);
  signal.addEventListener('abort', tellAll);
  return callbacks;
}

function tellAll(this: AbortSignal): void {
  const callbacks = listening.get(this);
  listening.delete(this);
  this.removeEventListener('abort', tellAll);
  for (const callback of callbacks ?? []) callback();
}
