import { copyWith } from '../../contract/copy-with.ts';
import { chooseMessages } from './choose-messages.ts';
import type { DeliveryEnds } from './delivery-ends.ts';
import type { QueueParts } from './queue-parts.ts';
import { type MessageView, type StoredMessage, viewOf } from './stored-message.ts';

/** A message as a pull hands it out. */
export interface DeliveredMessage extends MessageView {
  readonly leaseId: string;
}

/** What a pull asks for. */
export interface PullTerms {
  /** At most how many messages. */
  readonly batchSize: number;
  readonly visibilityTimeoutMs: number;
}

/** Hands messages out. */
export class Deliveries {
  readonly #parts: QueueParts;
  readonly #ends: DeliveryEnds;

  constructor(parts: QueueParts, ends: DeliveryEnds) {
    this.#parts = parts;
    this.#ends = ends;
  }

  pull(now: number, { batchSize, visibilityTimeoutMs }: PullTerms): DeliveredMessage[] {
    const { context, configuration, store } = this.#parts;
    const { behaviour, random } = context;
    const deadline = now + visibilityTimeoutMs;
    const delivered: DeliveredMessage[] = [];
    const repeated: StoredMessage[] = [];
    const chosen = chooseMessages(store, { now, count: batchSize, behaviour, random });
    for (let message = chosen.next(); message !== undefined; message = chosen.next()) {
      delivered.push(this.#lease(message, now, deadline));
      if (message.attempts <= configuration.settings.maxRetries && context.repeats()) repeated.push(message);
    }
    // Afterwards, since this pull would bring them again.
    for (const message of repeated) this.#ends.endLease(message, now, 0);
    return delivered;
  }

  #lease(message: StoredMessage, now: number, deadline: number): DeliveredMessage {
    const { context, store, history } = this.#parts;
    const { identities, behaviour } = context;
    const token = identities.token();
    store.lease(message, token, deadline);
    const leaseId = identities.leaseId(token);
    const { attempts } = message;
    history.record(message.id, now, { type: 'delivered', leaseId, attempts, deadline });
    return copyWith(viewOf(message), { attempts: attempts - 1 + behaviour.firstAttempts, leaseId });
  }
}
