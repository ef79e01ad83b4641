import { describe, expect, it } from 'vitest';
import { UsualSuccess } from '../../src/lease/usual-success.ts';

/** What is learned from rows of failures, each of which a success ends. */
function after(rows: number, failuresEach: number): UsualSuccess {
  const usual = new UsualSuccess(0.6);
  for (let left = rows; left > 0; left -= 1) {
    for (let failures = failuresEach; failures > 0; failures -= 1) usual.fail();
    usual.confirm();
    usual.succeed();
  }
  return usual;
}

describe('UsualSuccess', () => {
  it('learns the share of what succeeds', () => {
    expect(after(300, 0).share).toBeGreaterThan(0.99);
    expect(after(300, 1).share).toBeCloseTo(0.5, 1);
    expect(after(300, 3).share).toBeCloseTo(0.25, 1);
  });

  it('is surprised by a failure the more, the more succeeds, up to a bound', () => {
    expect(after(300, 0).surprise).toBeCloseTo(-Math.log(0.2));
    expect(after(300, 1).surprise).toBeCloseTo(-Math.log(0.5), 0);
    expect(after(300, 8).surprise).toBeLessThan(0.2);
  });

  it('learns little of one long row', () => {
    const usual = after(300, 0);
    for (let failures = 1_000; failures > 0; failures -= 1) usual.fail();
    usual.confirm();
    expect(usual.share).toBeGreaterThan(0.7);
  });

  it('learns nothing of what failed while everything did', () => {
    const usual = after(300, 0);
    for (let failures = 1_000; failures > 0; failures -= 1) usual.fail();
    usual.forget();
    usual.confirm();
    expect(usual.share).toBeGreaterThan(0.99);
  });
});
