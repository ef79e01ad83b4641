import { InputError } from './exit-codes.ts';

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Reads a duration: a number and `ms`, `s`, `m`, `h` or `d`; seconds without a unit.
 *
 * @returns milliseconds, a whole number
 * @throws InputError
 */
export function parseDuration(text: string): number {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text.trim()) ?? [];
  const ms = Number(number) * (units[unit] ?? Number.NaN);
  if (Number.isFinite(ms)) return Math.round(ms);
  throw new InputError(`'${text}' is no duration: write a number and ms, s, m, h or d (seconds without), such as 30s`);
}

/** As `parseDuration()`, in whole seconds. */
export function parseSeconds(text: string): number {
  return Math.round(parseDuration(text) / 1000);
}

/** A duration as people read it: `850 ms`, `12 s`, `3 min`, `5 h`, `2 d`. */
export function showDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 172_800_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} d`;
}
