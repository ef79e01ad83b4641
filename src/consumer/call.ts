import type { CallOptions } from '../contract/transport.ts';

/** A call of the transport that can be given up. */
export interface Call {
  /** What the transport is given. */
  readonly options: CallOptions;
  giveUp(): void;
}

/**
 * Opens a call that may take so many milliseconds. Its signal is made when the transport asks for it: making one costs
 * more than anything else that is done for a call here.
 */
export function openCall(timeoutMs: number): Call {
  let controller: AbortController | undefined;
  let isGivenUp = false;
  return {
    options: {
      timeoutMs,
      // Of the object's own, so that a transport that spreads its options has it.
      get signal() {
        if (controller === undefined) {
          controller = new AbortController();
          if (isGivenUp) controller.abort();
        }
        return controller.signal;
      },
    },
    giveUp() {
      isGivenUp = true;
      controller?.abort();
    },
  };
}
