import { show } from './check-options.ts';

/** What a callback of the user's threw, as an error: `undefined` would pass for none wherever one is kept. */
export function errorOf(callback: string, thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(`${callback} failed with ${show(thrown)}`, { cause: thrown });
}

/** What a callback gives; `undefined` when it throws. */
export function attempt(callback: () => unknown): unknown {
  try {
    const given = callback();
    watch(given);
    return given;
  } catch {
    return undefined;
  }
}

/** Sees to the failure of a promise that is awaited by nobody, which would end the process; of anything else, to nothing. */
export function watch(given: unknown, onFailure: (error: unknown) => void = () => undefined): void {
  if (typeof given === 'object' && given !== null && 'then' in given) Promise.resolve(given).catch(onFailure);
}
