import type { Mutant } from './mutant.ts';

const leaseSignals = 'src/consumer/settling/lease-signals.ts';
const keeper = 'src/consumer/settling/keeper.ts';
const pending = 'src/consumer/settling/pending-settlements.ts';
const settlements = 'src/consumer/settling/settlements.ts';
const settler = 'src/consumer/settling/settler.ts';

/** Faults of how the consumer settles. */
export const settlingMutants: readonly Mutant[] = [
  {
    name: 'a late acknowledgement waits as those in time do',
    file: 'src/lease/plan-flush.ts',
    find: ' || unsent.isLate',
    replace: '',
  },
  {
    name: 'a settlement that somebody waits for waits for company where handlers keep the loop',
    file: 'src/lease/plan-flush.ts',
    find: ' || unsent.isAwaited',
    replace: '',
  },
  {
    name: 'what waits behind a closed gate does not count as held up',
    file: 'src/consumer/settling/settler.ts',
    find: " || gates.notBefore('ack') > time.now()",
    replace: '',
  },
  {
    name: 'late acks of finished work are not sent',
    file: settlements,
    find: "if (kind === 'retry' && lease.deadline <= now) {",
    replace: 'if (lease.deadline <= now) {',
  },
  {
    name: 'a late ack of an abandoned message leaves its newer delivery in the buffer',
    file: settlements,
    find: "if (kind === 'ack' && lease.isAbandoned) this.#acknowledgeNewer(lease, now);",
    replace: '',
  },
  {
    name: 'a late retry is sent',
    file: settlements,
    find: "if (kind === 'retry' && lease.deadline <= now) {",
    replace: "if (kind === 'retry' && lease.deadline <= -Infinity) {",
  },
  {
    name: 'what was not handed out is given back after its lease',
    file: settlements,
    find: " || (kind === 'retry' && lease.deadline <= this.#deps.time.now())",
    replace: '',
  },
  {
    name: 'the last of several settlements counts',
    file: settlements,
    find: 'if (!isDecided(lease)) this.#settle(lease, kind,',
    replace: 'this.#settle(lease, kind,',
    invariant: 5,
  },
  {
    name: 'the place of a settled message is never freed',
    file: settlements,
    find: 'if (!lease.isAbandoned) stats.inFlight -= 1;',
    replace: '',
    invariant: 8,
  },
  {
    name: 'the place of an abandoned message is freed twice',
    file: settlements,
    find: 'if (!lease.isAbandoned) stats.inFlight -= 1;',
    replace: 'stats.inFlight -= 1;',
    invariant: 4,
  },
  {
    name: 'the signal of a settled message aborts when the lease ends',
    file: settlements,
    find: 'signals.forget(lease);\n    if (kind',
    replace: 'if (kind',
  },
  {
    name: 'a message that is being moved is acked when its handler ends',
    file: settlements,
    find: 'lease.isClaimed = true;',
    replace: '',
    invariant: 2,
  },
  {
    name: 'a message that could not be moved is acked',
    file: keeper,
    find: 'if (failure === undefined) {',
    replace: "if (failure?.code !== 'closed') {",
    invariant: 1,
  },
  {
    name: 'a forwarded message is acked when its handler ends',
    file: settlements,
    find: 'if (lease.isForwarded) this.#claims.add(lease);\n    else if',
    replace: 'if',
    invariant: 2,
  },
  {
    name: 'a claim outlives the settlement of its message',
    file: settlements,
    find: 'if (this.#claims.size > 0) this.#claims.delete(lease);',
    replace: '',
    invariant: 7,
  },
  {
    name: 'the second to ask what became of a message is never told',
    file: 'src/consumer/settling/outcomes.ts',
    find: 'else lease.askers.push(resolve);',
    replace: '',
    invariant: 5,
  },
  {
    name: 'an ack whose lease ends while it waits is not sent',
    file: pending,
    find: "if (lease.settledAs === 'retry' && lease.deadline <= now) letGo",
    replace: 'if (lease.deadline <= now) letGo',
  },
  {
    name: 'a retry whose lease ends while it waits is sent',
    file: pending,
    find: "if (lease.settledAs === 'retry' && lease.deadline <= now) letGo",
    replace: "if (lease.settledAs === 'retry' && lease.deadline <= -Infinity) letGo",
  },
  {
    name: 'a failed settlement is not repeated',
    file: settler,
    find: 'if (mayTryAgain) this.#pending.addAgain(lease, now);',
    replace: 'if (mayTryAgain && now < 0) this.#pending.addAgain(lease, now);',
  },
  {
    name: 'a late ack that fails is repeated for ever',
    file: settler,
    find: "(lease.settledAs === 'ack' && lease.lateTries > 0)",
    replace: "lease.settledAs === 'ack'",
  },
  {
    name: 'a settlement whose answer was lost counts as one that was refused',
    file: settler,
    find: 'if (mayHaveTakenEffect(error)) lease.mayBeSettled = true;',
    replace: '',
  },
  {
    name: 'what was confirmed stays unconfirmed',
    file: settler,
    find: 'this.#unconfirmed -= 1;',
    replace: '',
    invariant: 7,
  },
  {
    name: 'a settle call that is not waited for any longer stays open',
    file: settler,
    find: 'call.giveUp();',
    replace: '',
    invariant: 7,
  },
  {
    name: 'a retry is sent without its delay',
    file: settler,
    find: 'delaySeconds === undefined ? { leaseId } : { leaseId, delaySeconds }',
    replace: '{ leaseId }',
  },
  {
    name: 'the deadline of what waits behind a full call is forgotten',
    file: pending,
    find: 'for (const lease of this.#leases) this.#noteDeadline(lease, now);',
    replace: '',
  },
  {
    name: 'a signal that is asked for after the lease never aborts',
    file: leaseSignals,
    find: "else if (lease.phase !== 'started' || lease.deadline <= this.#now())",
    replace: "else if (lease.phase !== 'started')",
  },
  {
    name: 'a signal that is asked for after the grace never aborts',
    file: leaseSignals,
    find: 'this.#graceIsOver = true;',
    replace: '',
  },
];
