import { execute } from 'abort-controller-x';
import type { FaultInjector } from './faults/faults.ts';
import { type ApiHandler, toResponse } from './http/api-exchange.ts';

/** The broker in the form of the platform's `fetch`. */
export type BrokerFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** Makes the `fetch` of a broker from what answers its requests. */
export function createBrokerFetch(handle: ApiHandler, faults: Pick<FaultInjector, 'isSlow'>): BrokerFetch {
  return async (input, init = {}) => {
    // The signal is kept from the Request, which would add a listener to it and let it go only with the garbage.
    const signal = init.signal ?? (input instanceof Request ? input.signal : undefined);
    signal?.throwIfAborted();
    const handled = handle(new Request(input, { ...init, signal: null }));
    const answer = await (signal && faults.isSlow ? raceAgainst(signal, handled) : handled);
    signal?.throwIfAborted();
    return toResponse(answer);
  };
}

/** Rejects with the signal's reason as soon as it aborts; what is under way is left to end by itself. */
function raceAgainst<Result>(signal: AbortSignal, task: Promise<Result>): Promise<Result> {
  return execute<Result>(signal, (resolve, reject) => {
    task.then(resolve, reject);
    return () => reject(signal.reason);
  });
}
