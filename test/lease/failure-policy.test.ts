import { describe, expect, it } from 'vitest';
import { QueueError, type QueueErrorCode } from '../../src/contract/errors.ts';
import { failureKind, mayHaveTakenEffect } from '../../src/lease/failure-policy.ts';

const table: ReadonlyArray<[QueueErrorCode, number | undefined, string, boolean]> = [
  ['network', undefined, 'transient', true],
  ['timeout', undefined, 'transient', true],
  ['rate-limited', 429, 'transient', false],
  ['queue-unavailable', 429, 'transient', false],
  ['service-failed', 500, 'transient', true],
  ['bad-answer', 200, 'transient', true],
  ['bad-answer', undefined, 'transient', true],
  ['bad-answer', 299, 'transient', true],
  ['bad-answer', 300, 'final', true],
  ['bad-answer', 399, 'final', true],
  ['bad-answer', 400, 'transient', true],
  ['bad-answer', 502, 'transient', true],
  ['delivery-paused', 409, 'paused', false],
  ['pull-not-enabled', 405, 'not-enabled', false],
  ['unauthorized', 401, 'final', false],
  ['not-found', 404, 'final', false],
  ['too-large', 413, 'final', false],
  ['refused', 400, 'final', false],
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
