import { limits } from '../contract/limits.ts';
import { acknowledge } from './acknowledge.ts';
import { HeldMessages } from './held-messages.ts';
import { linesOf, type PullJob, type PullOutcome, tellUnsettled, usualMax } from './pull-job.ts';
import type { RawLeasedMessage } from './raw-queue.ts';
import { writeWhile } from './terminal.ts';

const advice = `at most ${usualMax} are taken unless --max says so, and none that is leased or delayed. Run it again for more`;

/** `pull --ack`: prints messages and acknowledges them once they have been written, a pull at a time. */
export class PullAck {
  readonly #job: PullJob;
  readonly #held: HeldMessages;
  /** Printed, but perhaps not acknowledged. */
  readonly #doubtful = new Set<string>();
  #unsettled = 0;

  constructor(job: PullJob) {
    this.#job = job;
    this.#held = new HeldMessages(job.transport, { clock: job.clock, leaseMs: job.visibilityTimeoutMs });
  }

  async run(): Promise<PullOutcome> {
    const { raw, terminal, clock, visibilityTimeoutMs, max = usualMax } = this.#job;
    let shown = 0;
    try {
      while (shown < max && !terminal.signal.aborted) {
        const pulledAt = this.#held.now();
        const messages = await raw.pull(Math.min(limits.batchMessages, max - shown), visibilityTimeoutMs);
        if (messages.length === 0) break;
        this.#held.add(messages, pulledAt);
        const fresh = messages.filter(({ id }) => !this.#doubtful.has(id));
        await writeWhile(terminal, linesOf(fresh, this.#job), clock);
        shown += fresh.length;
        // However late it is: what was printed must not come again.
        this.#held.forget(messages);
        await this.#acknowledge(messages);
      }
    } finally {
      this.#unsettled += await this.#held.giveBack();
      tellUnsettled(this.#job, this.#unsettled);
    }
    return { shown, advice, isShort: false, unsettled: this.#unsettled };
  }

  async #acknowledge(messages: readonly RawLeasedMessage[]): Promise<void> {
    const { transport, clock } = this.#job;
    // Those that come again were counted when they came first.
    this.#unsettled += messages.length - messages.filter(({ id }) => this.#doubtful.delete(id)).length;
    const { failed, doubtful } = await acknowledge({ transport, clock, now: () => this.#held.now() }, messages);
    this.#unsettled -= messages.length - failed;
    for (const { id } of doubtful) this.#doubtful.add(id);
  }
}
