import fc from 'fast-check';
import type { Fault } from './watched-transport.ts';

/** What becomes of an output: it can be pushed, the service refuses it, or it has no form to be pushed in. */
export type OutputKind = 'good' | 'long' | 'refused' | 'unencodable';

interface GroupPlan {
  readonly messages: number;
  readonly outputs: readonly OutputKind[];
  readonly pauseMs: number;
}

/** What `onRejected` does with an item. */
type Taking = 'takes' | 'throws' | 'throws nothing' | 'never answers' | 'acks' | 'dead-letters' | 'takes its time';

export interface ClaimsPlan {
  readonly groups: readonly GroupPlan[];
  /** Groups that are written once more, at the end. */
  readonly again: readonly number[];
  /** What goes wrong with pushes, by their place. */
  readonly faults: readonly (Fault | undefined)[];
  readonly taking: readonly Taking[] | undefined;
  readonly ordered: boolean;
  readonly lingerMs: number;
  /** When it is broken off, in milliseconds; `Infinity` when it is closed after the last write. */
  readonly brokenOffAt: number;
  /** Messages are read by hand, or in handlers that end when all is written. */
  readonly reading: 'by hand' | 'in handlers';
  /** When the consumer of the messages closes without grace, in milliseconds. */
  readonly sourceClosesAt: number;
}

const pauseMs = fc.constantFrom(0, 0, 0, 1, 7, 30);

const groupPlan: fc.Arbitrary<GroupPlan> = fc.record({
  messages: fc.integer({ min: 0, max: 3 }),
  outputs: fc.array(fc.constantFrom<OutputKind>('good', 'good', 'long', 'refused', 'unencodable'), { maxLength: 3 }),
  pauseMs,
});

const fault = fc.constantFrom<Fault | undefined>(
  ...Array.from({ length: 5 }, () => undefined),
  'request-lost',
  'answer-lost',
  'busy',
  'unauthorized',
  'nothing',
);

const taking = fc.constantFrom<Taking>(
  'takes',
  'takes',
  'throws',
  'throws nothing',
  'never answers',
  'acks',
  'dead-letters',
  'takes its time',
);

/** Mostly never. */
const moment = fc.oneof({ weight: 2, arbitrary: fc.constant(Infinity) }, fc.integer({ min: 0, max: 60 }));

export const claimsPlans: fc.Arbitrary<ClaimsPlan> = fc.record({
  groups: fc.array(groupPlan, { minLength: 1, maxLength: 8 }),
  again: fc.uniqueArray(fc.nat(7), { maxLength: 2 }),
  faults: fc.array(fault, { maxLength: 6 }),
  taking: fc.option(fc.array(taking, { minLength: 1, maxLength: 4 }), { nil: undefined }),
  ordered: fc.boolean(),
  lingerMs: fc.constantFrom(0, 5, 40),
  brokenOffAt: moment,
  reading: fc.constantFrom('by hand', 'in handlers'),
  sourceClosesAt: fc.oneof({ weight: 5, arbitrary: fc.constant(Infinity) }, fc.integer({ min: 0, max: 60 })),
});
