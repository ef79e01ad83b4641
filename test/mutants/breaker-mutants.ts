import type { Mutant } from './mutant.ts';

const breaker = 'src/lease/breaker.ts';
const usualSuccess = 'src/lease/usual-success.ts';
const breaking = 'src/consumer/handing-out/breaking.ts';
const releases = 'src/consumer/handing-out/releases.ts';
const keeper = 'src/consumer/settling/keeper.ts';

/** Faults of the breaker. */
export const breakerMutants: readonly Mutant[] = [
  {
    name: 'a success does not end a row of failures',
    file: breaker,
    find: 'if (this.failures > 0) this.#endRow();',
    replace: '',
  },
  {
    name: 'known bad messages count',
    file: breaker,
    find: ' || this.#bad.has(lease.id)) return false;',
    replace: ') return false;',
  },
  {
    name: 'what fails after later work has succeeded counts',
    file: breaker,
    find: 'lease.startedAt < this.#succeededAt || ',
    replace: '',
  },
  {
    name: 'a row that did not last needs no more surprise',
    file: breaker,
    find: 'this.#surprise >= 2 * least',
    replace: 'this.#surprise >= 0',
  },
  {
    name: 'a short time without a success opens a breaker',
    file: breaker,
    find: 'now - this.failingSince >= quietMs',
    replace: 'now - this.failingSince >= 0',
  },
  {
    name: 'the running ones are not waited for',
    file: breaker,
    find: 'if (this.failures < this.#running.size - 1) return false;',
    replace: '',
  },
  {
    name: 'a hung probe is the last',
    file: breaker,
    find: 'this.probeAt = now + this.#bounds.maxProbeMs;',
    replace: 'this.probeAt = Infinity;',
  },
  {
    name: 'probes follow at once',
    file: breaker,
    find: 'this.probeAt = now + this.#backoff.fail(0.5);',
    replace: 'this.probeAt = now;',
  },
  {
    name: 'one success closes a breaker',
    file: breaker,
    find: 'if (this.#allowed <= enough) return false;',
    replace: '',
  },
  {
    name: 'half-open lets everything through',
    file: breaker,
    find: 'let free = this.#allowed;',
    replace: 'let free = 1_000 * this.#allowed;',
  },
  {
    name: 'what ran before counts as let through',
    file: breaker,
    find: 'if (startedAt >= this.#allowedSince) free -= 1;',
    replace: 'if (startedAt >= 0) free -= 1;',
  },
  {
    name: 'an outage is taken for usual',
    file: breaker,
    find: 'this.#fresh.forget();',
    replace: 'this.#fresh.confirm();',
  },
  {
    name: 'a long row is taken for usual',
    file: usualSuccess,
    find: 'Math.min(this.#failed, mostInARow)',
    replace: 'this.#failed',
  },
  {
    name: 'what is held while a breaker is open is kept until its lease ends',
    file: releases,
    find: 'if (breaking.isShedding(now)) this.#giveBack(holdings.waiting.shed(now), now);',
    replace: 'if (breaking.isShedding(now)) return;',
  },
  {
    name: 'a probe that failed is not kept',
    file: breaking,
    find: 'holdings.keep(lease);\n    return true;',
    replace: 'return false;',
  },
  {
    name: 'a kept message has the body that its handler left',
    file: breaking,
    find: 'lease.renew((message) => this.#renewed(message))',
    replace: 'lease.renew((message) => message)',
  },
  {
    name: 'probes are leased for as long as others',
    file: breaking,
    find: 'Infinity : 0;',
    replace: '0 : 0;',
  },
  {
    name: 'a message that was kept before is kept for ever',
    file: breaking,
    find: ' - (lease.isKept ? 1 : 0)',
    replace: '',
  },
  {
    name: 'a kept message is not tried where others could be',
    file: breaking,
    find: "if (this.#breaker.state === 'open' && kept.length < mostKept && !isTried) return;",
    replace: "if (this.#breaker.state === 'open') return;",
  },
  {
    name: 'what is given back comes again at once',
    file: 'src/lease/unstarted-leases.ts',
    find: 'return { released: [], postponed: trimmed.released, dropped: trimmed.dropped };',
    replace: 'return trimmed;',
  },
  {
    name: 'a kept message that is settled by hand stays kept',
    file: keeper,
    find: "if (lease.phase !== 'deferred' && lease.phase !== 'buffered') return;",
    replace: 'return;',
  },
  {
    name: 'moving a message away counts as a success',
    file: keeper,
    find: "settlements.settle(lease, 'ack', undefined);\n      return outcomeOf(lease);",
    replace: 'return this.ack(lease);',
  },
  {
    name: 'a retry by hand is no failure',
    file: keeper,
    find: 'if (!isDecided(lease)) breaking.fail(lease, time.now());',
    replace: '',
  },
];
