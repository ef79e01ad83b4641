/** The part of `Headers` that is read. */
export interface AnswerHeaders {
  /** The value of a header, whatever the case of its name; `null` where there is none. */
  get(name: string): string | null;
}

/**
 * How long the service asks to be left alone, in milliseconds: `retry-after-ms`, else `Retry-After` as seconds or as
 * an HTTP date.
 *
 * @param now - the time that a date is compared with, in milliseconds since the epoch
 * @returns 0 for what has passed already, `undefined` when nothing readable was said
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
 */
export function readRetryAfter(headers: AnswerHeaders, now: () => number): number | undefined {
  const milliseconds = readNumber(headers.get('retry-after-ms'));
  if (milliseconds !== undefined) return milliseconds;
  const text = headers.get('retry-after')?.trim();
  if (!text) return undefined;
  const seconds = readNumber(text);
  if (seconds !== undefined) return seconds * 1000;
  // Only a real HTTP date: `Date.parse` reads a date into nearly anything that has a number in it.
  const at = text.endsWith(' GMT') ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now());
}

function readNumber(text: string | null): number | undefined {
  if (text === null || !/^\s*-?\d+(\.\d+)?\s*$/.test(text)) return undefined;
  return Math.max(0, Number(text));
}
