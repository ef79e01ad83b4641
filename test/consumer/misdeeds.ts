/** What a callback may do, in the words of docs/user-callbacks.md. */
export const misdeeds = [
  'throws an Error',
  'throws undefined',
  'gives undefined',
  'gives no promise',
  'rejects with undefined',
  'gives nonsense',
  'never answers',
] as const;

export type Misdeed = (typeof misdeeds)[number];

/** What a callback of one kind gives where it gives something. */
export interface Given {
  /** As it should be, but for the promise. */
  readonly plain: unknown;
  /** Of the right type, or nearly. */
  readonly nonsense: unknown;
  /** In place of a promise that is never settled. */
  readonly silence?: unknown;
}

/** The error of `'throws an Error'`. */
export class Mistake extends Error {}

const nothing: unknown = undefined;

/** Does it. */
export function commit(misdeed: Misdeed, { plain, nonsense, silence = new Promise(() => undefined) }: Given): unknown {
  switch (misdeed) {
    case 'throws an Error':
      throw new Mistake('a mistake');
    case 'throws undefined':
      throw nothing;
    case 'gives undefined':
      return undefined;
    case 'gives no promise':
      return plain;
    case 'rejects with undefined':
      return Promise.reject(nothing);
    case 'gives nonsense':
      return nonsense;
    case 'never answers':
      return silence;
  }
}
