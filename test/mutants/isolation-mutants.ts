import type { Mutant } from './mutant.ts';

const isolation = 'src/lease/isolation.ts';
const engine = 'src/consumer/engine.ts';

/** Faults of what keeps a message that ends processes from taking others along. */
export const isolationMutants: readonly Mutant[] = [
  {
    name: 'what may have ended a process is started with others',
    file: engine,
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
    file: engine,
    find: 'this.#settler.unconfirmed + this.keeper.claimed + this.#intake.held > 0 ||',
    replace: 'this.keeper.claimed + this.#intake.held > 0 ||',
  },
  {
    name: 'a suspect does not wait for what sinks have taken',
    file: engine,
    find: 'this.#settler.unconfirmed + this.keeper.claimed + this.#intake.held > 0 ||',
    replace: 'this.#settler.unconfirmed + this.#intake.held > 0 ||',
  },
  {
    name: 'a suspect does not wait for what is at its schema',
    file: engine,
    find: 'this.#settler.unconfirmed + this.keeper.claimed + this.#intake.held > 0 ||',
    replace: 'this.#settler.unconfirmed + this.keeper.claimed > 0 ||',
  },
];
