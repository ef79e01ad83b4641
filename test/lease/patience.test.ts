import { describe, expect, it } from 'vitest';
import { QueueError, type QueueErrorCode } from '../../src/contract/errors.ts';
import { Patience } from '../../src/lease/patience.ts';

const failure = (code: QueueErrorCode, inEnvelope?: boolean): QueueError =>
  new QueueError('', inEnvelope === undefined ? { code } : { code, inEnvelope });
const refusal = failure('unauthorized', true);
const stray = failure('unauthorized', false);

describe('Patience', () => {
  it('has none with what the service refuses before anything has worked', () => {
    const patience = new Patience({ hasWorked: false });
    expect(patience.judge(refusal, 0)).toBe('final');
  });

  it.each([
    ['what the service refuses after something has worked', refusal, true],
    ['what others refuse', stray, false],
    ['a queue without a pull consumer', failure('pull-not-enabled', true), false],
  ])('has 30 s of it with %s', (_, error, hasWorked) => {
    const standing = { hasWorked };
    const patience = new Patience(standing);
    for (const at of [1_000, 8_000, 30_999]) expect(patience.judge(error, at)).toBe('patient');
    expect(patience.judge(error, 31_000)).toBe('final');
    expect(standing.hasWorked).toBe(false);
  });

  it('shares with others of the handle that something has worked, and that it does no more', () => {
    const standing = { hasWorked: false };
    const [one, other] = [new Patience(standing), new Patience(standing)];
    one.succeed();
    for (const at of [0, 10_000, 20_000]) expect(other.judge(refusal, at)).toBe('patient');
    expect(other.judge(refusal, 30_000)).toBe('final');
    expect(one.judge(refusal, 30_000)).toBe('final');
  });

  it.each([
    ['a success', (patience: Patience) => patience.succeed()],
    ['a failure of another kind', (patience: Patience) => void patience.judge(failure('service-failed'), 20_000)],
    ['a paused delivery', (patience: Patience) => void patience.judge(failure('delivery-paused', true), 20_000)],
  ])('begins anew after %s', (_, happens) => {
    const patience = new Patience({ hasWorked: true });
    expect(patience.judge(refusal, 0)).toBe('patient');
    happens(patience);
    for (const at of [40_000, 50_000, 69_999]) expect(patience.judge(refusal, at)).toBe('patient');
    expect(patience.judge(refusal, 70_000)).toBe('final');
  });

  it('takes four refusals at least: who slept, or computed, has not asked meanwhile', () => {
    const patience = new Patience({ hasWorked: true });
    for (const at of [0, 3_600_000, 3_600_300]) expect(patience.judge(refusal, at)).toBe('patient');
    expect(patience.limit(60_000, 3_600_300)).toBe(7_500);
    expect(patience.judge(refusal, 3_601_000)).toBe('final');
  });

  it('takes a paused delivery for a success: the credential is taken, and the queue is there', () => {
    const standing = { hasWorked: false };
    expect(new Patience(standing).judge(failure('delivery-paused', true), 0)).toBe('paused');
    expect(standing.hasWorked).toBe(true);
  });

  it('limits delays so that a row has several tries, and one at its end', () => {
    const patience = new Patience({ hasWorked: true });
    expect(patience.limit(60_000, 0)).toBe(60_000);
    patience.judge(refusal, 1_000);
    expect(patience.limit(60_000, 1_000)).toBe(7_500);
    expect(patience.limit(250, 1_000)).toBe(250);
    expect(patience.limit(60_000, 30_000)).toBe(1_000);
    patience.judge(failure('network'), 30_000);
    expect(patience.limit(60_000, 30_000)).toBe(60_000);
  });

  it('leaves other failures as they are', () => {
    const patience = new Patience({ hasWorked: true });
    expect(patience.judge(failure('network'), 0)).toBe('transient');
    expect(patience.judge(failure('transport-failed'), 0)).toBe('final');
    expect(patience.judge(new TypeError('defect'), 0)).toBe('final');
  });
});
