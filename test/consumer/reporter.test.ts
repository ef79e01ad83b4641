import { describe, expect, it, vi } from 'vitest';
import type { ConsumerEvent } from '../../src/consumer/events.ts';
import { createReporter } from '../../src/consumer/reporter.ts';
import { createStats } from '../../src/consumer/stats.ts';

const failure = new Error('refused');
const failed: ConsumerEvent = { type: 'pullFailed', error: failure, retryInMs: 10 };

describe('createReporter()', () => {
  it('tells an event, and keeps its error', () => {
    const stats = createStats();
    const onEvent = vi.fn();
    createReporter({ onEvent }, stats, undefined)(failed);
    expect(onEvent.mock.calls).toEqual([[failed]]);
    expect(stats.lastError).toBe(failure);
  });

  it('keeps an error also of work that failed with none', () => {
    const stats = createStats();
    const message = { id: 'a', attempts: 1 };
    createReporter({ onEvent: undefined }, stats, undefined)({ type: 'handlerFailed', message, error: undefined });
    expect(stats.lastError).toBeInstanceOf(Error);
  });

  it.each([
    [
      'throws',
      () => {
        throw failure;
      },
    ],
    ['rejects', () => Promise.reject(failure)],
  ])('keeps what onEvent %s', async (_, onEvent: () => unknown) => {
    const stats = createStats();
    createReporter({ onEvent }, stats, undefined)({ type: 'paused' });
    await Promise.resolve();
    await Promise.resolve();
    expect(stats.lastError).toBe(failure);
  });
});
