import { InputError } from './exit-codes.ts';

/** Reads a whole number of 1 or more. @throws InputError */
export function parseCount(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InputError(`'${text}' is no count: write a whole number of 1 or more`);
}
