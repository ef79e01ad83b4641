import { limits } from '../contract/limits.ts';
import { HeldMessages } from './held-messages.ts';
import { isOnLastAttempt } from './last-attempt.ts';
import { linesOf, type PullJob, type PullOutcome, tellUnsettled, usualMax } from './pull-job.ts';
import { writeWhile } from './terminal.ts';

// What is kept of a lease for giving back: what was pulled in the first half can be given back in the second.
const givingBackShare = 0.5;
// All is in memory until it is given back.
const mostCharacters = 64_000_000;

/** Why it stopped, if not because it has all that it was asked for. */
const reasons = {
  time: 'it stopped before the first of its leases ended. A longer --visibility-timeout shows more',
  lastAttempt:
    'a message among them is on its last attempt, and would be gone once it was leased. A pull without --leave leases nothing',
  again: 'a message came again although it was leased. A pull without --leave leases nothing',
  size: 'it stopped as these are large. --ack takes them out',
  none: `at most ${usualMax} are shown unless --max says so, and none that is leased or delayed`,
} as const;

/**
 * `pull --leave`: leases messages, gives them back, and only then prints them, so that no lease depends on who reads.
 * Leases nothing that giving back would move or delete, as far as can be seen.
 */
export class PullLeave {
  readonly #job: PullJob;
  readonly #held: HeldMessages;
  readonly #max: number;
  #shown = 0;
  #text = '';

  constructor(job: PullJob) {
    this.#job = job;
    this.#held = new HeldMessages(job.transport, { clock: job.clock, leaseMs: job.visibilityTimeoutMs });
    this.#max = job.max ?? usualMax;
  }

  async run(): Promise<PullOutcome> {
    let reason: keyof typeof reasons = 'none';
    let unsettled = 0;
    try {
      reason = await this.#pullAll();
    } finally {
      unsettled = await this.#held.giveBack();
      tellUnsettled(this.#job, unsettled);
      await writeWhile(this.#job.terminal, this.#text, this.#job.clock);
    }
    return { shown: this.#shown, advice: reasons[reason], isShort: reason !== 'none', unsettled };
  }

  async #pullAll(): Promise<keyof typeof reasons> {
    const { raw, terminal, maxRetries, visibilityTimeoutMs } = this.#job;
    while (this.#shown < this.#max && !terminal.signal.aborted) {
      const count = Math.min(limits.batchMessages, this.#max - this.#shown);
      const next = await raw.peek(limits.batchMessages);
      if (next.length === 0) break;
      if (next.some((message) => isOnLastAttempt(message, maxRetries))) return 'lastAttempt';
      if (this.#held.leftMs(givingBackShare) <= 0) return 'time';
      if (this.#text.length > mostCharacters) return 'size';
      const pulledAt = this.#held.now();
      const messages = await raw.pull(count, visibilityTimeoutMs);
      const fresh = messages.filter(({ id }) => !this.#held.has(id));
      this.#held.add(messages, pulledAt);
      this.#shown += fresh.length;
      this.#text += linesOf(fresh, this.#job);
      // Each further pull would count as an attempt of it.
      if (fresh.length < messages.length) return 'again';
    }
    return 'none';
  }
}
