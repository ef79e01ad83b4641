import type { Mutant } from './mutant.ts';

const isolation = 'src/lease/isolation.ts';
const parts = 'src/consumer/parts.ts';

/** Faults of what keeps a message that ends processes from taking others along. */
export const isolationMutants: readonly Mutant[] = [
  {
    name: 'what may have ended a process is started with others',
    file: parts,
    find: 'const isolates = isolateSuspects && order === undefined;',
    replace: 'const isolates = false;',
  },
  {
    name: 'the same suspects come before the same others on each attempt',
    file: isolation,
    find: 'a.attempts % 2 === 0 ? a.hash - b.hash : b.hash - a.hash',
    replace: 'a.hash - b.hash',
  },
  {
    name: 'a suspect does not wait for what ended before it to be acknowledged',
    file: parts,
    find: 'settler.unconfirmed + settlements.claimed + intake.held > 0 ||',
    replace: 'settlements.claimed + intake.held > 0 ||',
  },
  {
    name: 'a suspect does not wait for what sinks have taken',
    file: parts,
    find: 'settler.unconfirmed + settlements.claimed + intake.held > 0 ||',
    replace: 'settler.unconfirmed + intake.held > 0 ||',
  },
  {
    name: 'a suspect does not wait for what is at its schema',
    file: parts,
    find: 'settler.unconfirmed + settlements.claimed + intake.held > 0 ||',
    replace: 'settler.unconfirmed + settlements.claimed > 0 ||',
  },
];
