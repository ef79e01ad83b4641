import { Refusal, refuse } from './refusal.ts';

/** What a server of HTTP refuses before it is a matter of the service's API. */
export const edgeRefusals = {
  host: (): Refusal => refuse('edgeHost'),
  target: (): Refusal => refuse('edgeTarget'),
  misdirected: (): Refusal => refuse('edgeMisdirected'),
  expectation: (): Refusal => refuse('edgeExpectation'),
  transferCoding: (): Refusal => refuse('edgeTransferCoding'),
  contentCoding: (): Refusal => refuse('edgeContentCoding', {}, { headers: { 'accept-encoding': 'gzip, identity' } }),
  /** What never became a request. @param reason - that of the status */
  unreadable: (status: number, reason: string): Refusal => new Refusal(status, 10_026, reason),
} as const;
