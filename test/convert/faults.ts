import fc from 'fast-check';
import type { Fault } from './watched-transport.ts';

/** The faults of some calls of each kind, by their place; calls beyond are answered. */
export interface FaultPlan {
  readonly push: readonly (Fault | undefined)[];
  readonly pull: readonly (Fault | undefined)[];
  readonly ack: readonly (Fault | undefined)[];
}

const fault = fc.option(fc.constantFrom<Fault>('request-lost', 'answer-lost', 'busy'), { nil: undefined, freq: 3 });
const faults = fc.array(fault, { maxLength: 8 });

/** Faults that pass. */
export const faultPlan: fc.Arbitrary<FaultPlan> = fc.record({ push: faults, pull: faults, ack: faults });

/** Decides by a plan, as a transport asks. */
export function byPlan(plan: FaultPlan): (method: keyof FaultPlan, nth: number) => Fault | undefined {
  return (method, nth) => plan[method][nth];
}
