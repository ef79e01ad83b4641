import { describe, expect, it } from 'vitest';
import { QueueError } from '../../src/contract/errors.ts';
import { Gates, type GatedCall } from '../../src/lease/gates.ts';

const stateOf = (gates: Gates): number[] =>
  (['push', 'pull', 'ack'] as const satisfies GatedCall[]).map((call) => gates.notBefore(call));

const limited = (retryAfterMs?: number): QueueError =>
  new QueueError('slow down', { code: 'rate-limited', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });

describe('Gates', () => {
  it('are open', () => {
    expect(stateOf(new Gates())).toEqual([-Infinity, -Infinity, -Infinity]);
  });

  it('close for the call that failed alone', () => {
    const gates = new Gates();
    gates.close('pull', limited(), 100, 1_000);
    expect(stateOf(gates)).toEqual([-Infinity, 1_100, -Infinity]);
    gates.close('ack', new Error('other'), 50, 1_000);
    expect(stateOf(gates)).toEqual([-Infinity, 1_100, 1_050]);
  });

  it('close for every call of a queue that is unavailable', () => {
    const gates = new Gates();
    gates.close('ack', new QueueError('full', { code: 'queue-unavailable', retryAfterMs: 5_000 }), 100, 1_000);
    expect(stateOf(gates)).toEqual([6_000, 6_000, 6_000]);
  });

  it.each([
    [limited(99), 1_100],
    [limited(100), 1_100],
    [limited(101), 1_101],
    [limited(0), 1_100],
  ])('wait for the longer of the delay and what the service asked for', (error, notBefore) => {
    const gates = new Gates();
    gates.close('push', error, 100, 1_000);
    expect(gates.notBefore('push')).toBe(notBefore);
  });

  it.each([
    [300_000, 301_000],
    [300_001, 301_000],
    [99_999_999_999_000, 301_000],
    [Infinity, 301_000],
    [-5, 1_100],
    [Number.NaN, 1_100],
  ])('wait for 5 minutes at most, whatever was asked for: %d', (retryAfterMs, notBefore) => {
    const gates = new Gates();
    gates.close('push', limited(retryAfterMs), 100, 1_000);
    expect(gates.notBefore('push')).toBe(notBefore);
    expect(gates.cause('push')).toMatchObject({ retryAfterMs });
  });

  it('never open earlier', () => {
    const gates = new Gates();
    gates.close('pull', limited(5_000), 0, 1_000);
    gates.close('pull', limited(), 10, 2_000);
    expect(gates.notBefore('pull')).toBe(6_000);
  });
});
