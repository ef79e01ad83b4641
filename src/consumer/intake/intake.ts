import { errorOf } from '../../contract/callback.ts';
import type { PulledMessage } from '../../contract/message.ts';
import { rawOf } from '../../contract/raw-body.ts';
import type { Schema } from '../../contract/schema.ts';
import { type HeldMessage, Lease, LeaseBatch } from '../../lease/lease.ts';
import { checkInvalidAction, type InvalidAction, type ResolvedConsumeOptions } from '../consume-options.ts';
import type { Decode, Decoded } from './decode.ts';
import type { ConsumerEvent, InvalidMessage } from '../events.ts';
import type { Leftovers } from '../pulling/leftovers.ts';
import { withKey } from './message-key.ts';
import { leasesEndAt, type PullAnswer } from '../pulling/pull-answer.ts';
import type { StatsCounter } from '../stats.ts';
import { validate } from './validate.ts';

export interface IntakeDeps {
  readonly schema: Schema | undefined;
  readonly decode: Decode | undefined;
  readonly options: ResolvedConsumeOptions;
  readonly stats: StatsCounter;
  readonly leftovers: Leftovers;
  readonly report: (event: ConsumerEvent) => void;
  /** Takes the messages of an answer that can be handed out. */
  readonly accept: (messages: readonly HeldMessage[], answer: PullAnswer) => void;
  /** Called after a schema that took its time has answered, and its messages were accepted or rejected. */
  readonly onJudged: () => void;
  /** Takes a message that can't, and what is to become of it. */
  readonly reject: (lease: Lease, action: InvalidAction, error: unknown) => void;
}

/** Messages of one answer whose schema has not answered yet. */
interface Unjudged {
  readonly answer: PullAnswer;
  readonly messages: Set<PulledMessage>;
}

/** Stands between the answers and the holdings: sorts out what can't be handed out. */
export class Intake {
  readonly #deps: IntakeDeps;
  readonly #unjudged = new Set<Unjudged>();
  /** Judged in this very moment, by the answer they came with: taken over together. */
  #judged = new Map<PullAnswer, Decoded[]>();
  /** Invalid ones of which `onInvalid` has not said yet what is to become of them. */
  readonly #rejected = new Set<Lease>();
  /** The length of the bodies of those whose schema has not answered. */
  heldLength = 0;
  #heldAtSchema = 0;
  #hasGivenUp = false;

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
  }

  /** How many messages have arrived and are in nobody's hands. */
  get held(): number {
    return this.#heldAtSchema + this.#rejected.size;
  }

  take(answer: PullAnswer): void {
    const { messages } = answer;
    const { schema, decode, accept, options } = this.#deps;
    const isAnyOrder = options.order === undefined;
    if (isAnyOrder && schema === undefined && decode === undefined && messages.every(isDecoded)) {
      accept(messages, answer);
      return;
    }
    if (!isAnyOrder) {
      this.#takeTogether(answer);
      return;
    }
    const judged: Decoded[] = [];
    const unjudged = { answer, messages: new Set<PulledMessage>() };
    for (const message of messages) {
      const validated = validate(message, schema, decode);
      if (validated instanceof Promise) {
        unjudged.messages.add(message);
        this.#hold(message, 1);
        void validated.then((late) => this.#answered(unjudged, message, late));
      } else judged.push(validated);
    }
    if (unjudged.messages.size > 0) this.#unjudged.add(unjudged);
    if (judged.length > 0) this.#sort(judged, answer);
  }

  /** What is judged sooner waits for what came before it, unless it is invalid: nothing waits for that. */
  #takeTogether(answer: PullAnswer): void {
    const { schema, decode, onJudged } = this.#deps;
    const validated = answer.messages.map((message) => validate(message, schema, decode));
    const judged = validated.filter((each): each is Decoded => !(each instanceof Promise));
    if (judged.length === validated.length) {
      this.#sort(judged, answer);
      return;
    }
    const unjudged = { answer, messages: new Set(answer.messages) };
    this.#unjudged.add(unjudged);
    for (const message of answer.messages) this.#hold(message, 1);
    const valid = answer.messages.map(async (message, index) => {
      const each = await validated[index];
      if (each?.error === undefined) return each;
      if (unjudged.messages.delete(message)) {
        this.#hold(message, -1);
        this.#sort([each], answer);
        onJudged();
      }
      return undefined;
    });
    void Promise.all(valid).then((all) => {
      if (this.#letGo(unjudged).length === 0) return;
      this.#sort(
        all.filter((each) => each !== undefined),
        answer,
      );
      onJudged();
    });
  }

  #hold({ bodyLength }: PulledMessage, sign: 1 | -1): void {
    this.#heldAtSchema += sign;
    this.heldLength += sign * bodyLength;
  }

  #answered(unjudged: Unjudged, message: PulledMessage, judged: Decoded): void {
    if (!unjudged.messages.delete(message)) return;
    if (unjudged.messages.size === 0) this.#unjudged.delete(unjudged);
    if (this.#judged.size === 0) void Promise.resolve().then(() => this.#takeOver());
    const together = this.#judged.get(unjudged.answer);
    if (together === undefined) this.#judged.set(unjudged.answer, [judged]);
    else together.push(judged);
  }

  #takeOver(): void {
    const all = this.#judged;
    if (all.size === 0) return;
    this.#judged = new Map();
    for (const [answer, judged] of all) {
      for (const { message } of judged) this.#hold(message, -1);
      this.#sort(judged, answer);
    }
    this.#deps.onJudged();
  }

  /** When the first leases of what is held end; `Infinity` when nothing is held. */
  get nextLapseAt(): number {
    let next = Infinity;
    for (const { answer } of this.#unjudged) next = Math.min(next, leasesEndAt(answer));
    for (const { deadline } of this.#rejected) next = Math.min(next, deadline);
    return next;
  }

  /** Holds no longer what comes again by itself: a schema that never answers must not keep others from coming. */
  lapse(now: number): void {
    const { stats, leftovers } = this.#deps;
    for (const unjudged of this.#unjudged) {
      const endsAt = leasesEndAt(unjudged.answer);
      if (endsAt > now) continue;
      stats.dropped += unjudged.messages.size;
      leftovers.note(endsAt);
      this.#letGo(unjudged);
    }
    for (const lease of this.#rejected) {
      if (lease.deadline > now) continue;
      leftovers.note(lease.deadline);
      this.#rejected.delete(lease);
    }
  }

  /** Gives what is let go, of which no later answer is heeded. */
  #letGo(unjudged: Unjudged): readonly PulledMessage[] {
    const messages = [...unjudged.messages];
    this.#unjudged.delete(unjudged);
    unjudged.messages.clear();
    for (const message of messages) this.#hold(message, -1);
    return messages;
  }

  /** Waits for no schema and no `onInvalid` any longer: an ending consumer gives back what they have not answered for. */
  giveUp(): void {
    this.#hasGivenUp = true;
    this.#takeOver();
    for (const unjudged of this.#unjudged) this.#deps.accept(this.#letGo(unjudged), unjudged.answer);
    const rejected = [...this.#rejected];
    this.#rejected.clear();
    for (const lease of rejected) this.#deps.reject(lease, 'retry', undefined);
  }

  #sort(judged: readonly Decoded[], answer: PullAnswer): void {
    const { options, accept, reject } = this.#deps;
    const valid: HeldMessage[] = [];
    const settled: [Lease, InvalidAction, Error][] = [];
    let batch: LeaseBatch | undefined;
    for (const each of judged) {
      const { message, error } = withKey(each, options.order, view);
      if (error === undefined) {
        valid.push(message);
        continue;
      }
      batch ??= new LeaseBatch(answer.sentAt, answer.visibilityTimeoutMs);
      const lease = new Lease(message, batch);
      const action = this.#askOf(message, error);
      if (typeof action === 'string') settled.push([lease, action, error]);
      else void this.#awaitAction(lease, action, error);
    }
    accept(valid, answer);
    for (const [lease, action, error] of settled) reject(lease, action, error);
  }

  /** What is to become of an invalid message; a promise only where `onInvalid` gives one. */
  #askOf(message: HeldMessage, error: Error): InvalidAction | Promise<InvalidAction> {
    const { options, stats, report } = this.#deps;
    const invalid = view(message);
    stats.invalid += 1;
    report({ type: 'invalid', message: invalid, error });
    const retryAfter = (failure: unknown): InvalidAction => {
      const { id, attempts } = message;
      const failed = errorOf('onInvalid()', failure);
      report({ type: 'callbackFailed', callback: 'onInvalid', message: { id, attempts }, error: failed });
      return 'retry';
    };
    if (typeof options.onInvalid !== 'function') return options.onInvalid;
    try {
      const said = options.onInvalid(invalid, error);
      // Said at once, it holds at once: the callback may have taken so long that nothing more is awaited.
      return typeof said === 'string' ? checked(said) : Promise.resolve(said).then(checked).catch(retryAfter);
    } catch (failure) {
      return retryAfter(failure);
    }
  }

  async #awaitAction(lease: Lease, awaited: Promise<InvalidAction>, error: Error): Promise<void> {
    this.#rejected.add(lease);
    const action = await awaited;
    // The answer holds also when the lease is over: an acknowledgement may come late.
    if (this.#rejected.delete(lease) || !this.#hasGivenUp) this.#deps.reject(lease, action, error);
  }
}

function checked(said: InvalidAction): InvalidAction {
  checkInvalidAction('onInvalid()', said);
  return said;
}

function isDecoded({ bodyError }: PulledMessage): boolean {
  return bodyError === undefined;
}

function view(message: HeldMessage): InvalidMessage {
  const { id, attempts, timestampMs, contentType, metadata, body } = message;
  return {
    id,
    attempts,
    timestamp: new Date(timestampMs),
    contentType,
    metadata,
    body,
    // Asked for late: a transport that does not tell it may give a body that has none.
    get raw() {
      return rawOf(message);
    },
  };
}
