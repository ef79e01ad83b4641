import type { Clock } from '../contract/clock.ts';
import { limits } from '../contract/limits.ts';
import type { QueueTransport } from '../contract/transport.ts';
import { isItemFault } from '../producer/item-error.ts';
import { acknowledge } from './acknowledge.ts';
import type { Connection, KnownQueue } from './connection.ts';
import { HeldMessages } from './held-messages.ts';
import { isOnLastAttempt } from './last-attempt.ts';
import type { Progress } from './progress.ts';
import { type RawLeasedMessage, type RawQueue, whyUnmovable } from './raw-queue.ts';
import { RawPusher } from './raw-pusher.ts';

/** What became of the messages of the dead letter queue. */
export interface RedriveReport {
  readonly from: string;
  readonly to: string;
  dryRun: boolean;
  /** Pushed and confirmed; with a dry run, what is known to be movable. */
  moved: number;
  /** Pushed and confirmed, but the acknowledgement went wrong: both queues may have them. */
  copied: number;
  /** Left: of a type that can't be pushed over HTTP, refused by the service, or not confirmed in time. */
  left: number;
  /** Those of them that can't be moved, also not by another run. */
  unmoved: readonly UnmovedMessage[];
  /** With a dry run: how many more there are, of which nobody can tell before they are leased. */
  unseen?: number;
}

/** A message that can't be moved. */
interface UnmovedMessage {
  readonly id: string;
  readonly reason: string;
}

export interface RedriveDeps {
  readonly clock: Clock;
  /** Ends it between two pulls. */
  readonly signal: AbortSignal;
  readonly progress: Progress | undefined;
}

// Long enough for a push that has to be repeated for a minute.
const leaseMs = 300_000;
// The parts of a lease that are kept for giving back: once that begins nothing is pulled, or pushed, any more.
const pullShare = 0.5;
const pushShare = 0.2;

/** Why it stopped before the end. */
const reasons = {
  time: 'it stopped before the first of its leases ended. Run it again',
  slow: 'pushes took too long, and were perhaps pushed though they were not confirmed',
  again: 'a message came again although it was leased. Run it again, later',
  lastAttempt: "a message among them that HTTP can't push is on its last attempt, and would be gone once it was leased",
} as const;

/** Moves messages from one queue to another: each is acknowledged once it was pushed, and what can't be is given back. */
export class Redrive {
  readonly report: RedriveReport;
  readonly #connection: Connection;
  readonly #from: KnownQueue;
  readonly #raw: RawQueue;
  readonly #transport: QueueTransport;
  readonly #target: RawPusher;
  readonly #deps: RedriveDeps;
  readonly #held: HeldMessages;
  /** Pushed, but perhaps not acknowledged: not to be pushed once more. */
  readonly #copied = new Set<string>();
  /** Why each can't be moved, by message id. */
  readonly #unmovable = new Map<string, string>();
  #reason: keyof typeof reasons | undefined;

  constructor(connection: Connection, { from, to }: { from: KnownQueue; to: KnownQueue }, deps: RedriveDeps) {
    this.#connection = connection;
    this.#from = from;
    this.#raw = connection.raw(from);
    this.#transport = connection.transport(from);
    this.#target = new RawPusher(connection.open(to));
    this.#deps = deps;
    this.#held = new HeldMessages(this.#transport, { clock: deps.clock, leaseMs });
    this.report = { from: from.name, to: to.name, dryRun: false, moved: 0, copied: 0, left: 0, unmoved: [] };
  }

  /** Says how many can be moved of those that can be seen without a lease, and moves nothing. */
  async count(limit: number = Infinity): Promise<void> {
    const backlog = await this.#backlog();
    const seen = (await this.#raw.peek(limits.batchMessages)).slice(0, limit);
    for (const message of seen) this.#noteUnmovable(message.id, whyUnmovable(message));
    const unmoved = this.#listUnmoved();
    const unseen = Math.max(0, Math.min(limit, backlog) - seen.length);
    Object.assign(this.report, {
      dryRun: true,
      moved: seen.length - unmoved.length,
      left: unmoved.length,
      unmoved,
      unseen,
    } satisfies Partial<RedriveReport>);
  }

  #noteUnmovable(id: string, reason: string | undefined): void {
    if (reason === undefined) this.#unmovable.delete(id);
    else this.#unmovable.set(id, reason);
  }

  #listUnmoved(): readonly UnmovedMessage[] {
    return Array.from(this.#unmovable, ([id, reason]) => ({ id, reason }));
  }

  async run(limit: number = Infinity): Promise<void> {
    const { progress, signal } = this.#deps;
    // Before anything is leased: where this fails, so would every push.
    await this.#target.metrics();
    const maxRetries = await this.#connection.maxRetries(this.#from, signal);
    progress?.expect(Math.min(limit, await this.#backlog()));
    try {
      await this.#moveAll(limit, maxRetries);
    } finally {
      progress?.end();
      this.report.left = this.#held.count;
      this.report.unmoved = this.#listUnmoved();
      await this.#held.giveBack();
    }
  }

  /** Why it stopped, how many are left, and how to go on; `undefined` when it came to its end. */
  async advice(): Promise<string | undefined> {
    if (this.#reason === undefined) return undefined;
    return `${await this.#backlog()} are still in ${this.#from.name}: ${reasons[this.#reason]}`;
  }

  async #moveAll(limit: number, maxRetries: number | undefined): Promise<void> {
    const { progress, signal } = this.#deps;
    let taken = 0;
    while (taken < limit && !signal.aborted && this.#reason === undefined) {
      if (this.#held.leftMs(pullShare) <= 0) return this.#stop('time');
      const next = await this.#raw.peek(limits.batchMessages);
      const isInDanger = next.some((each) => whyUnmovable(each) !== undefined && isOnLastAttempt(each, maxRetries));
      if (isInDanger) return this.#stop('lastAttempt');
      const pulledAt = this.#held.now();
      const messages = await this.#raw.pull(Math.min(limits.batchMessages, limit - taken), leaseMs);
      if (messages.length === 0) return;
      // What is kept comes again when its lease ended early; each further pull would cost it an attempt.
      if (messages.some(({ id }) => this.#held.has(id))) this.#stop('again');
      this.#held.add(messages, pulledAt);
      taken += messages.length;
      await this.#move(messages);
      progress?.show(this.report.moved);
    }
  }

  /** Pushes, then acknowledges what was confirmed, however late that is. The others stay held. */
  async #move(messages: readonly RawLeasedMessage[]): Promise<void> {
    const outcomes = await this.#push(messages.filter(({ id }) => !this.#copied.has(id)));
    const pushed = messages.filter((message) => this.#copied.has(message.id) || outcomes.get(message) === undefined);
    this.#held.forget(pushed);
    for (const [{ id }, error] of outcomes)
      this.#noteUnmovable(id, isItemFault(error) ? reasonOf(id, error) : undefined);
    if (pushed.length > 0) await this.#acknowledge(pushed);
    // One that the service refuses, or HTTP can't carry, concerns that message; all other failures concern all.
    const fatal = [...outcomes.values()].find((error) => error !== undefined && !isItemFault(error));
    if (fatal === undefined || this.#reason === 'slow') return;
    throw fatal instanceof Error ? fatal : new Error('The push failed', { cause: fatal });
  }

  /** Pushes for as long as the leases allow. Gives why each was not pushed, or `undefined`. */
  async #push(messages: readonly RawLeasedMessage[]): Promise<ReadonlyMap<RawLeasedMessage, unknown>> {
    const controller = new AbortController();
    const timer = this.#deps.clock.setTimer(
      () => {
        this.#stop('slow');
        controller.abort();
      },
      Math.max(0, this.#held.leftMs(pushShare)),
    );
    try {
      return await this.#target.push(messages, controller.signal);
    } finally {
      timer.cancel();
    }
  }

  async #acknowledge(messages: readonly RawLeasedMessage[]): Promise<void> {
    const again = messages.filter(({ id }) => this.#copied.delete(id)).length;
    this.report.copied += messages.length - again;
    const { failed, doubtful } = await acknowledge(
      { transport: this.#transport, clock: this.#deps.clock, now: () => this.#held.now() },
      messages,
    );
    for (const { id } of doubtful) this.#copied.add(id);
    this.report.copied -= messages.length - failed;
    this.report.moved += messages.length - failed;
  }

  #stop(reason: keyof typeof reasons): void {
    this.#reason = reason;
  }

  async #backlog(): Promise<number> {
    return (await this.#transport.metrics({ timeoutMs: 30_000 })).backlogCount;
  }
}

function reasonOf(id: string, error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.includes(id) ? text : `Cannot move message ${id}: ${text}`;
}
