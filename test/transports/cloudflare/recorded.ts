import { readFileSync } from 'node:fs';

/** A request or an answer as the service's documentation or its official client has it. */
export interface Recorded {
  readonly name: string;
  readonly source: string;
  readonly body: unknown;
  readonly status?: number;
  readonly code?: string;
}

/** The recorded requests and answers of one call. */
export interface RecordedCall {
  readonly method: string;
  readonly path: string;
  readonly requests: readonly Recorded[];
  readonly answers: readonly Recorded[];
}

export function readRecorded(call: string): RecordedCall {
  return JSON.parse(readFileSync(new URL(`recorded/${call}.json`, import.meta.url), 'utf8')) as RecordedCall;
}

/** The recorded request or answer of that name. */
export function pick(all: readonly Recorded[], name: string): Recorded {
  const found = all.find((each) => each.name === name);
  if (found === undefined) throw new Error(`nothing recorded as '${name}'`);
  return found;
}

/** The `result` of the recorded answer of that name. */
export function resultOf(call: string, name: string): unknown {
  return (pick(readRecorded(call).answers, name).body as { readonly result?: unknown }).result;
}
