import { LazyController } from '../contract/lazy-controller.ts';
import type { CallOptions } from '../contract/transport.ts';

/** A call of the transport that can be given up. */
export interface Call {
  /** What the transport is given. */
  readonly options: CallOptions;
  giveUp(): void;
}

/** Opens a call that may take so many milliseconds. */
export function openCall(timeoutMs: number): Call {
  const controller = new LazyController();
  return { options: controller.addTo({ timeoutMs }), giveUp: () => controller.abort() };
}
