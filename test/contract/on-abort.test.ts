import { describe, expect, it, vi } from 'vitest';
import { onAbort } from '../../src/contract/on-abort.ts';
import { countedSignal } from '../transports/cloudflare/counted-signal.ts';

describe('onAbort()', () => {
  it('tells all who listen, once, by one listener', () => {
    const controller = new AbortController();
    const add = vi.spyOn(controller.signal, 'addEventListener');
    const callbacks = Array.from({ length: 30 }, () => vi.fn());
    for (const callback of callbacks) onAbort(controller.signal, callback);
    controller.abort();
    controller.abort();
    for (const callback of callbacks) expect(callback).toHaveBeenCalledTimes(1);
    expect(add).toHaveBeenCalledTimes(1);
  });

  it('tells nobody who has stopped listening, and leaves no listener when all have', () => {
    const { signal, count } = countedSignal();
    const [first, second] = [vi.fn(), vi.fn()];
    const stops = [onAbort(signal, first), onAbort(signal, second)];
    expect(count()).toBe(1);
    stops[0]?.();
    expect(count()).toBe(1);
    stops[1]?.();
    stops[1]?.();
    expect(count()).toBe(0);
    expect(first).not.toHaveBeenCalled();
  });

  it('can be asked again after all have stopped', () => {
    const controller = new AbortController();
    onAbort(controller.signal, () => undefined)();
    const callback = vi.fn();
    onAbort(controller.signal, callback);
    controller.abort();
    expect(callback).toHaveBeenCalledTimes(1);
  });
});
