import type { Mutant } from './mutant.ts';

const patience = 'src/lease/patience.ts';
const leaseLength = 'src/lease/lease-length.ts';
const overdue = 'src/lease/overdue.ts';
const startLimit = 'src/lease/start-limit.ts';

/** Faults of how long the consumer waits: with refusals, with answers, with the work in hand. */
export const patienceMutants: readonly Mutant[] = [
  {
    name: 'patience begins anew with each refusal',
    file: patience,
    find: 'this.#since ??= now;',
    replace: 'this.#since = now;',
  },
  {
    name: 'a success does not end a row of refusals',
    file: patience,
    find: 'this.#since = undefined;\n    this.#standing.hasWorked = true;',
    replace: 'this.#standing.hasWorked = true;',
  },
  {
    name: 'what has worked before has no patience',
    file: patience,
    find: " || (kind === 'refused' && hasWorked)",
    replace: '',
  },
  {
    name: 'a host that was never reached is tried for ever',
    file: patience,
    find: " || (kind === 'absent' && !hasWorked)",
    replace: '',
  },
  {
    name: 'a credential that never worked has patience',
    file: patience,
    find: "(kind === 'refused' && hasWorked)",
    replace: "kind === 'refused'",
  },
  {
    name: 'a machine that slept has used up its patience',
    file: patience,
    find: ' || this.#refusals < leastRefusals',
    replace: '',
  },
  {
    name: 'lost patience is found again at once',
    file: patience,
    find: 'this.#standing.hasWorked = false;',
    replace: '',
  },
  {
    name: 'tries in a row of refusals grow as far apart as others',
    file: patience,
    find: 'Math.min(delayMs, patienceMs / 4, left > 0 ? left : Infinity)',
    replace: 'delayMs',
  },
  {
    name: 'leases are no longer than the work in mean',
    file: leaseLength,
    find: 'Math.max(2 * meanMs, estimateMs)',
    replace: 'meanMs',
  },
  {
    name: 'what runs now does not lengthen leases',
    file: leaseLength,
    find: 'leaseMs = Math.max(leaseMs, 2 * (now - startedAt));',
    replace: '',
  },
  {
    name: 'one that hangs lengthens leases for ever',
    file: leaseLength,
    find: 'if (ended.finished - finishedBefore >= mostOvertaken) continue;',
    replace: '',
  },
  {
    name: 'what may come again is not leased for longer',
    file: leaseLength,
    find: 'leaseMs = Math.max(leaseMs, swapShare * (now - startedAt));',
    replace: '',
  },
  {
    name: 'the last lease of a running message is as long as the others',
    file: leaseLength,
    find: 'if (attempts === maxRetries) return Infinity;',
    replace: '',
  },
  {
    name: 'what is settled lengthens leases',
    file: leaseLength,
    find: 'settledAs !== undefined || ',
    replace: '',
  },
  {
    name: 'what comes again with the next pull is thought of when its lease is over',
    file: leaseLength,
    find: 'deadline - now > soonMs',
    replace: 'deadline > now',
  },
  {
    name: 'an answer is overdue after its usual time',
    file: overdue,
    find: 'usualTimes * roundTripMs',
    replace: 'roundTripMs',
  },
  {
    name: 'a way that answers nothing is asked as often as before',
    file: overdue,
    find: 'this.#inARow += 1;',
    replace: '',
  },
  {
    name: 'an answer in time does not end a row of overdue ones',
    file: overdue,
    find: 'this.#inARow = 0;\n  }',
    replace: '}',
  },
  {
    name: 'an idle consumer ignores the limits beside its handlers',
    file: startLimit,
    find: 'least = Math.min(least, limit.startable(now))',
    replace: 'least = Math.max(least, limit.startable(now))',
  },
];
