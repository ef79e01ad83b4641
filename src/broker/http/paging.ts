import { refusals } from './refusal.ts';

export const defaultPerPage = 20;
export const mostPerPage = 100;

/** A number of the query, 1 or more. @throws Refusal when it is none, or more than `most` */
export function numberIn(
  query: URLSearchParams,
  name: string,
  { otherwise, most }: { otherwise: number; most: number },
): number {
  const text = query.get(name);
  if (text === null) return otherwise;
  const number = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= most) return number;
  throw refusals.invalid(`${name} must be an integer in 1..${most}`);
}

/** One of several words of the query; the first of them when it has none. @throws Refusal for any other word */
export function wordIn<Word extends string>(
  query: URLSearchParams,
  name: string,
  words: readonly [Word, ...(readonly Word[])],
): Word {
  const text = query.get(name) ?? words[0];
  const word = words.find((each) => each === text);
  if (word !== undefined) return word;
  throw refusals.invalid(`${name} must be one of ${words.join(', ')}`);
}
