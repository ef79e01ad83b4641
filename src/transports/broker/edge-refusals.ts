import { Refusal } from './refusal.ts';

// None of these is among the service's: its edge answers them, and nobody recorded how. The code says "invalid request".
const code = 10_026;

/** What a server of HTTP refuses before it is a matter of the service's API. */
export const edgeRefusals = {
  host: (): Refusal =>
    new Refusal(400, code, 'There must be one Host header, a name or an address with or without a port'),
  target: (): Refusal => new Refusal(400, code, 'The target of a request must be a path'),
  misdirected: (): Refusal => new Refusal(421, code, 'This server answers for itself alone: it is no proxy'),
  expectation: (): Refusal => new Refusal(417, code, 'Nothing but 100-continue may be expected'),
  transferCoding: (): Refusal => new Refusal(501, code, 'A body may be transferred in chunks, and in no other coding'),
  contentCoding: (): Refusal =>
    new Refusal(415, code, 'A body may be compressed by gzip, once, or not at all', {
      headers: { 'accept-encoding': 'gzip, identity' },
    }),
  /** What never became a request. @param reason - that of the status */
  unreadable: (status: number, reason: string): Refusal => new Refusal(status, code, reason),
} as const;
