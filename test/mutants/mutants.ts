import { breakerMutants } from './breaker-mutants.ts';
import { consumerMutants } from './consumer-mutants.ts';
import { isolationMutants } from './isolation-mutants.ts';
import { leaseMutants } from './lease-mutants.ts';
import type { Mutant } from './mutant.ts';
import { patienceMutants } from './patience-mutants.ts';
import { producerMutants } from './producer-mutants.ts';
import { settlingMutants } from './settling-mutants.ts';

/** Every mutant, none of which may survive. */
export const mutants: readonly Mutant[] = [
  ...leaseMutants,
  ...patienceMutants,
  ...consumerMutants,
  ...settlingMutants,
  ...producerMutants,
  ...breakerMutants,
  ...isolationMutants,
];
