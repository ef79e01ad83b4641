import type { Ledger } from './ledger.ts';

/** Judges a run by one invariant of the design: gives what violates it, in words. */
export type Invariant = (ledger: Ledger) => readonly string[];
