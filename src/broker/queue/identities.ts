const base64Url = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
// The head of the encrypted tokens that the service uses for lease ids and refs.
const tokenHeader = 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2Q0JDLUhTNTEyIn0..';

/** What the ids of a broker are made from, to go on after a restart. */
export interface SavedIdentities {
  readonly leasePrefix: string;
  readonly refPrefix: string;
  readonly count: number;
  /** How many ids there were of queues and subscriptions. Absent in format 1. */
  readonly ids?: number;
}

/** Stands for "no lease" and "no ref"; no token is ever this one. */
export const noToken = 0;

/**
 * Makes the ids of one broker. Lease ids and refs are as long as the service's (more than 300 characters), and yet a
 * message holds only a number for each: they are a prefix of the broker's own and that number, put together on demand.
 */
export class Identities {
  readonly #random: () => number;
  readonly #leasePrefix: string;
  readonly #refPrefix: string;
  #count: number;
  #ids: number;

  constructor(random: () => number, saved?: SavedIdentities) {
    this.#random = random;
    this.#leasePrefix = saved?.leasePrefix ?? this.#prefix();
    this.#refPrefix = saved?.refPrefix ?? this.#prefix();
    this.#count = saved?.count ?? 0;
    this.#ids = saved?.ids ?? 0;
  }

  save(): SavedIdentities {
    return { leasePrefix: this.#leasePrefix, refPrefix: this.#refPrefix, count: this.#count, ids: this.#ids };
  }

  /** 32 hex characters, different for each message of the broker whatever `random` gives. */
  messageId(): string {
    // join() makes one flat string; adding up would keep every part alive, for each of a million messages.
    return [this.#randomWord(), this.#randomWord(), this.#randomWord(), toHex(this.token())].join('');
  }

  /** 32 hex characters, for a queue or the like: from the random head of the lease ids, so that no more chance is asked for. */
  id(): string {
    this.#ids += 1;
    return idOf(`${this.#leasePrefix}/ids/${this.#ids}`);
  }

  /** A number that no other lease or ref of the broker has, until 2^32 of them were made. */
  token(): number {
    this.#count = (this.#count + 1) | 0;
    // A multiplication by an odd number is one-to-one: scattered, and still never the same twice.
    return Math.imul(this.#count, 0x9e3779b1);
  }

  leaseId(token: number): string {
    return this.#leasePrefix + toHex(token);
  }

  /** The token of a lease id; `noToken` when this broker can't have made it. */
  leaseToken(leaseId: string): number {
    return fromHex(leaseId, this.#leasePrefix);
  }

  ref(token: number): string {
    return this.#refPrefix + toHex(token);
  }

  /** The token of a ref; `noToken` when this broker can't have made it. */
  refToken(ref: string): number {
    return fromHex(ref, this.#refPrefix);
  }

  #randomWord(): string {
    return toHex(Math.floor(this.#random() * 2 ** 32));
  }

  #prefix(): string {
    return `${tokenHeader}${this.#noise(22)}.${this.#noise(200)}.${this.#noise(36)}`;
  }

  #noise(length: number): string {
    return Array.from({ length }, () => base64Url[Math.floor(this.#random() * 64)]).join('');
  }
}

/** The id of the consumer that was made for a queue as its `count`-th one; 32 hex characters. */
export function consumerIdOf(queueId: string, count: number): string {
  return idOf(`${queueId}/consumers/${count}`);
}

function idOf(text: string): string {
  return [0x811c9dc5, 0x1b873593, 0xcc9e2d51, 0x85ebca6b].map((seed) => toHex(hash(text, seed))).join('');
}

// FNV-1a with another start each time, and a final mix, since short texts alone would move only the low bits.
function hash(text: string, seed: number): number {
  let value = seed;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}

function toHex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}

function fromHex(id: string, prefix: string): number {
  if (id.length !== prefix.length + 8 || !id.startsWith(prefix)) return noToken;
  const digits = id.slice(prefix.length);
  return /^[\da-f]{8}$/.test(digits) ? Number.parseInt(digits, 16) | 0 : noToken;
}
