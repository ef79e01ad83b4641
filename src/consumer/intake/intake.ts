import type { PulledMessage } from '../../contract/message.ts';
import type { Schema } from '../../contract/schema.ts';
import { type HeldMessage, Lease, LeaseBatch } from '../../lease/lease.ts';
import { leasesEndAt, type PullAnswer } from '../pulling/pull-answer.ts';
import type { Decode, Decoded } from './decode.ts';
import type { InvalidAction } from './invalid-action.ts';
import { withKey } from './message-key.ts';
import { Rejections, type RejectionsDeps } from './rejections.ts';
import { validate } from './validate.ts';

export interface IntakeDeps extends RejectionsDeps {
  readonly schema: Schema | undefined;
  readonly decode: Decode | undefined;
  /** Takes the messages of an answer that can be handed out. */
  readonly accept: (messages: readonly HeldMessage[], answer: PullAnswer) => void;
  /** Called after a schema that took its time has answered, and its messages were accepted or rejected. */
  readonly onJudged: () => void;
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
  readonly #rejections: Rejections;
  /** The length of the bodies of those whose schema has not answered. */
  heldLength = 0;
  #heldAtSchema = 0;

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
    this.#rejections = new Rejections(deps);
  }

  /** How many messages have arrived and are in nobody's hands. */
  get held(): number {
    return this.#heldAtSchema + this.#rejections.size;
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
    let next = this.#rejections.nextLapseAt;
    for (const { answer } of this.#unjudged) next = Math.min(next, leasesEndAt(answer));
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
    this.#rejections.lapse(now);
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
    this.#takeOver();
    for (const unjudged of this.#unjudged) this.#deps.accept(this.#letGo(unjudged), unjudged.answer);
    this.#rejections.giveUp();
  }

  #sort(judged: readonly Decoded[], answer: PullAnswer): void {
    const { options, accept, reject } = this.#deps;
    const valid: HeldMessage[] = [];
    const settled: [Lease, InvalidAction, Error][] = [];
    let batch: LeaseBatch | undefined;
    for (const each of judged) {
      const { message, error } = withKey(each, options.order);
      if (error === undefined) {
        valid.push(message);
        continue;
      }
      batch ??= new LeaseBatch(answer.sentAt, answer.visibilityTimeoutMs);
      const lease = new Lease(message, batch);
      const action = this.#rejections.ask(lease, message, error);
      if (action !== undefined) settled.push([lease, action, error]);
    }
    accept(valid, answer);
    for (const [lease, action, error] of settled) reject(lease, action, error);
  }
}

function isDecoded({ bodyError }: PulledMessage): boolean {
  return bodyError === undefined;
}
