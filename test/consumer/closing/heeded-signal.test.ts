import { describe, expect, it, vi } from 'vitest';
import { HeededSignal } from '../../../src/consumer/closing/heeded-signal.ts';

describe('HeededSignal', () => {
  it('ends at once when it has aborted', () => {
    const end = vi.fn();
    new HeededSignal(AbortSignal.abort(), end).heed();
    expect(end).toHaveBeenCalledOnce();
  });

  it('ends when it aborts, once however often it is heeded', () => {
    const end = vi.fn();
    const controller = new AbortController();
    const signal = new HeededSignal(controller.signal, end);
    signal.heed();
    signal.heed();
    expect(end).not.toHaveBeenCalled();
    controller.abort();
    expect(end).toHaveBeenCalledOnce();
  });

  it('listens no longer when it is not heeded any more', () => {
    const end = vi.fn();
    const controller = new AbortController();
    const removed = vi.spyOn(controller.signal, 'removeEventListener');
    const signal = new HeededSignal(controller.signal, end);
    signal.heed();
    signal.unheed();
    controller.abort();
    expect(end).not.toHaveBeenCalled();
    expect(removed).toHaveBeenCalled();
  });

  it('is nothing where there is no signal', () => {
    const end = vi.fn();
    const signal = new HeededSignal(undefined, end);
    signal.heed();
    signal.unheed();
    expect(end).not.toHaveBeenCalled();
  });
});
