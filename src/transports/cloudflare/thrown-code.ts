import type { QueueErrorCode } from '../../contract/errors.ts';

/** What each runtime says where no other try gets further: `name code message` of its error, or of what caused that. */
// Of Deno, and of Node's fetch for a port, the message is all there is. Workers and browsers tell nothing.
const signs: ReadonlyArray<readonly [QueueErrorCode, RegExp]> = [
  ['forbidden-by-runtime', /^(NotCapable|PermissionDenied) |^\S+ ERR_ACCESS_DENIED /],
  [
    'untrusted-certificate',
    /^\S+ \w*(CERT|LEAF_SIGNATURE|INVALID_CA|INVALID_PURPOSE|HOSTNAME)|invalid peer certificate:/,
  ],
  ['unknown-host', /^\S+ ENOTFOUND |: failed to lookup address information:/],
  ['unusable-address', /^\S+ \S* (bad port$|Fetch failed: Requests to port \d+ are blocked)/],
];

/** What an error that a fetch threw for an address means. It is a copy, in which each cause is an `Error`. */
export function codeOfThrown(error: Error, address: string): QueueErrorCode {
  // What the code names and the runtime lacks, no other try will find.
  if (error.name === 'ReferenceError') return 'transport-failed';
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const { name, code = '', message }: Error & { readonly code?: unknown } = cause;
    const text = `${name} ${String(code)} ${message}`;
    const found = signs.find(([, sign]) => sign.test(text));
    if (found !== undefined) return found[0];
  }
  // A hook may have made anything of it.
  return /^https?:/i.test(address) && URL.canParse(address) ? 'network' : 'unusable-address';
}
