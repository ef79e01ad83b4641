import { checkOptions, rule } from '../contract/check-options.ts';

/** A message of a batch that the platform pushed to a Worker. */
export interface PushedMessage {
  /** The same on every delivery. */
  readonly id: string;
  /** When the message was pushed. */
  readonly timestamp: Date;
  /** The body, as the platform decoded it. */
  readonly body: unknown;
  /** 1 on the first delivery. */
  readonly attempts: number;
  /** Acknowledges it. */
  ack(): void;
  /** Has it delivered again, after `delaySeconds`, 0 to 86 400, or the delay of the consumer. */
  retry(options?: { readonly delaySeconds?: number }): void;
}

/**
 * What the platform gives to a Worker's `queue` handler.
 *
 * @see https://developers.cloudflare.com/queues/configuration/javascript-apis/#messagebatch
 */
export interface PushedBatch {
  /** The name of the queue. */
  readonly queue: string;
  /** Up to 100. */
  readonly messages: readonly PushedMessage[];
}

const taken = new WeakSet<PushedBatch>();

/** @throws TypeError when it is no batch, or was taken before: whoever took it settles its messages */
export function checkBatch(action: string, batch: PushedBatch): void {
  if (!Array.isArray(batch?.messages)) {
    throw new TypeError(rule(action, 'batch', 'the batch that the platform gave to queue()', batch));
  }
  const unfit: unknown = batch.messages.find(
    ({ id, attempts }: Partial<PushedMessage>) => typeof id !== 'string' || id === '' || typeof attempts !== 'number',
  );
  if (unfit !== undefined) {
    throw new TypeError(rule(action, 'batch.messages', "a list of messages that have 'id' and 'attempts'", unfit));
  }
  if (taken.has(batch)) {
    throw new TypeError(`Cannot ${action} that was taken before: a batch is for one toQueueHandler() or fromBatch()`);
  }
}

/** Nobody else may take it from now on. */
export function takeBatch(batch: PushedBatch): void {
  taken.add(batch);
}

/** Throws a `TypeError` unless these are options, and none that means nothing where the platform pushes. */
export function checkPushOptions(action: string, options: object, allowed: readonly string[]): void {
  checkOptions(action, options);
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || allowed.includes(name)) continue;
    const names = allowed.map((each) => `'${each}'`).join(', ');
    throw new TypeError(`Cannot ${action} with '${name}', which the platform decides, or nobody: allowed are ${names}`);
  }
}
