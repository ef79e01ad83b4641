import { checkInteger, checkNumber, checkOneOf, rule } from '../../contract/check-options.ts';
import { checkNames } from '../../contract/check-names.ts';

/** The calls that faults may be limited to; `manage` are those on queues and consumers. */
const faultyCalls: readonly FaultyCall[] = ['push', 'pull', 'ack', 'peek', 'purge', 'metrics', 'manage'];

/** A kind of call. */
export type FaultyCall = 'push' | 'pull' | 'ack' | 'peek' | 'purge' | 'metrics' | 'manage';

/**
 * What shall go wrong. Shares are of 0..1, each drawn for itself, in the order `rateLimit`, `failBefore`, `failAfter`.
 * The same seed and the same requests give the same faults.
 */
export interface FaultOptions {
  /** What is drawn begins with it: an integer, -2 147 483 648..4 294 967 296. @defaultValue 1 */
  readonly seed?: number;
  /** How much later answers come, in milliseconds, 0..600 000: a number, or the least and the most. @defaultValue 0 */
  readonly latencyMs?: number | readonly [least: number, most: number];
  /** The share of requests, 0..1, that are answered with 429, and not carried out. @defaultValue 0 */
  readonly rateLimit?: number;
  /** The `Retry-After` of those, in seconds, 0..3 600. @defaultValue 1 */
  readonly retryAfterSeconds?: number;
  /** The share of requests, 0..1, that fail, and are not carried out. @defaultValue 0 */
  readonly failBefore?: number;
  /** The share of requests, 0..1, that are carried out, and then fail: what they did stays done. @defaultValue 0 */
  readonly failAfter?: number;
  /**
   * How those two fail: with 500 and code 15000, with 502 and HTML as a proxy gives it, or with no answer at all.
   *
   * @defaultValue `'error'`
   */
  readonly failWith?: 'error' | 'html' | 'disconnect';
  /**
   * The share of deliveries, 0..1, that come twice: the message stays visible although it is leased, so that the next pull
   * brings it again. The last delivery that `maxRetries` allows is never among them. @defaultValue 0
   */
  readonly repeat?: number;
  /** Which calls all this is about. (`repeat` is about pulls in any case.) @defaultValue all */
  readonly calls?: readonly FaultyCall[];
}

/** {@link FaultOptions} with every default in place. */
export type Faults = Required<Omit<FaultOptions, 'latencyMs'>> & { readonly latencyMs: readonly [number, number] };

export const noFaults: Faults = {
  seed: 1,
  latencyMs: [0, 0],
  rateLimit: 0,
  retryAfterSeconds: 1,
  failBefore: 0,
  failAfter: 0,
  failWith: 'error',
  repeat: 0,
  calls: faultyCalls,
};

const action = 'set faults';

/** @throws TypeError or RangeError naming the option, its rule and its value */
export function resolveFaults(options: FaultOptions): Faults {
  checkNames(action, options, { kind: 'fault', allowed: Object.keys(noFaults) });
  const { latencyMs = 0, ...others } = options;
  const faults: Faults = { ...noFaults, ...others, latencyMs: readLatency(latencyMs) };
  checkInteger(action, 'seed', faults.seed, [-(2 ** 31), 2 ** 32]);
  for (const share of ['rateLimit', 'failBefore', 'failAfter', 'repeat'] as const) {
    checkNumber(action, share, faults[share], [0, 1]);
  }
  checkInteger(action, 'retryAfterSeconds', faults.retryAfterSeconds, [0, 3600]);
  checkOneOf(action, 'failWith', faults.failWith, ['error', 'html', 'disconnect']);
  if (!Array.isArray(faults.calls)) throw new TypeError(rule(action, 'calls', 'a list of calls', faults.calls));
  for (const call of faults.calls) checkOneOf(action, 'calls', call, faultyCalls);
  return faults;
}

function readLatency(latencyMs: unknown): readonly [number, number] {
  const range: readonly unknown[] = Array.isArray(latencyMs) ? latencyMs : [latencyMs, latencyMs];
  const [least, most] = range;
  if (range.length !== 2) throw new TypeError(rule(action, 'latencyMs', 'a number or two', latencyMs));
  checkNumber(action, 'latencyMs', least, [0, 600_000]);
  checkNumber(action, 'latencyMs', most, [Number(least), 600_000]);
  return [Number(least), Number(most)];
}
