import { show } from '../contract/check-options.ts';

/** Throws an error that says what is wrong unless two JSON values are the same. */
export function expectSame(what: string, actual: unknown, expected: unknown): void {
  const [is, mustBe] = [textOf(actual), textOf(expected)];
  if (is !== mustBe) throw new Error(`${what} must be ${mustBe}, and is ${is}`);
}

/** Throws an error that says what must hold unless it does. */
export function expectThat(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** Gives what a promise rejects with, and throws when it fulfils. */
export async function rejectionOf(what: string, promise: Promise<unknown>): Promise<unknown> {
  let given: unknown;
  try {
    given = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`${what} must reject, and gives ${show(given)}`);
}

function textOf(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}
