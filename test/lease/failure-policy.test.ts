import { describe, expect, it } from 'vitest';
import { QueueError, type QueueErrorCode, type QueueErrorDetails } from '../../src/contract/errors.ts';
import { failureKind, mayHaveTakenEffect, pushFailureKind } from '../../src/lease/failure-policy.ts';

const table: ReadonlyArray<[QueueErrorCode, number | undefined, string, boolean]> = [
  ['network', undefined, 'transient', true],
  ['unknown-host', undefined, 'absent', false],
  ['untrusted-certificate', undefined, 'refused', false],
  ['forbidden-by-runtime', undefined, 'final', false],
  ['unusable-address', undefined, 'final', false],
  ['timeout', undefined, 'transient', true],
  ['rate-limited', 429, 'transient', false],
  ['queue-unavailable', 429, 'transient', false],
  ['service-failed', 500, 'transient', true],
  ['bad-answer', 200, 'transient', true],
  ['bad-answer', undefined, 'transient', true],
  ['bad-answer', 299, 'transient', true],
  ['bad-answer', 300, 'doubtful', true],
  ['bad-answer', 399, 'doubtful', true],
  ['bad-answer', 0, 'doubtful', true],
  ['bad-answer', 400, 'transient', true],
  ['bad-answer', 502, 'transient', true],
  ['delivery-paused', 409, 'paused', false],
  ['pull-not-enabled', 405, 'doubtful', false],
  ['unauthorized', 401, 'refused', false],
  ['not-found', 404, 'refused', false],
  ['too-large', 413, 'refused', false],
  ['refused', 400, 'refused', false],
  ['undecodable-body', undefined, 'final', false],
  ['invalid-body', undefined, 'final', false],
  ['lease-expired', undefined, 'final', false],
  ['lease-unknown', undefined, 'final', false],
  ['unconfirmed', undefined, 'final', false],
  ['closed', undefined, 'final', false],
];

describe('failureKind()', () => {
  it.each(table)('takes %s with status %s for %s', (code, status, kind) => {
    expect(failureKind(new QueueError('', { code, ...(status === undefined ? {} : { status }) }))).toBe(kind);
  });

  it.each(table.filter(([code]) => code !== 'bad-answer'))('takes %s for the same with any status', (code, _, kind) => {
    for (const status of [200, 302, 404, 500]) expect(failureKind(new QueueError('', { code, status }))).toBe(kind);
  });

  it.each(['unauthorized', 'not-found', 'too-large', 'refused', 'delivery-paused', 'pull-not-enabled'] as const)(
    'doubts %s that the service did not say',
    (code) => {
      const error = new QueueError('', { code, inEnvelope: false });
      expect(failureKind(error)).toBe('doubtful');
      expect(mayHaveTakenEffect(error)).toBe(true);
    },
  );

  it('takes what is no QueueError for final', () => {
    expect(failureKind(new TypeError('defect'))).toBe('final');
    expect(failureKind(undefined)).toBe('final');
  });
});

describe('mayHaveTakenEffect()', () => {
  it.each(table.map(([code, , , effect]) => [code, effect] as const))('of %s is %s', (code, effect) => {
    expect(mayHaveTakenEffect(new QueueError('', { code }))).toBe(effect);
  });

  it('does not exclude it for what is no QueueError', () => {
    expect(mayHaveTakenEffect(new Error('defect'))).toBe(true);
  });
});

describe('pushFailureKind()', () => {
  const kindOf = (details: QueueErrorDetails): string => pushFailureKind(new QueueError('', details));

  it.each([
    [{ code: 'refused', status: 400 }, 'final'],
    [{ code: 'too-large', status: 413 }, 'final'],
    [{ code: 'not-found', status: 404 }, 'final'],
    [{ code: 'delivery-paused', status: 409 }, 'final'],
    [{ code: 'unauthorized', status: 403 }, 'refused'],
    [{ code: 'refused', status: 400, inEnvelope: false }, 'doubtful'],
    [{ code: 'not-found', status: 404, inEnvelope: false }, 'doubtful'],
    [{ code: 'service-failed', status: 503 }, 'transient'],
    [{ code: 'network' }, 'transient'],
    [{ code: 'unknown-host' }, 'absent'],
    [{ code: 'untrusted-certificate' }, 'refused'],
    [{ code: 'forbidden-by-runtime' }, 'final'],
    [{ code: 'bad-answer', status: 200, inEnvelope: false }, 'transient'],
    // A success that could not be read.
    [{ code: 'network', status: 200 }, 'final'],
    [{ code: 'timeout', status: 299 }, 'final'],
    [{ code: 'transport-failed', status: 200 }, 'final'],
  ] as const)('takes %j for %s', (details, kind) => {
    expect(kindOf(details)).toBe(kind);
  });

  it('takes what is no QueueError for final', () => {
    expect(pushFailureKind(new TypeError('defect'))).toBe('final');
  });
});
