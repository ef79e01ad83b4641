import { describe, expect, it, vi } from 'vitest';
import { abortStateOf, LazyController, whenAborted } from '../../src/contract/lazy-controller.ts';
import { countedSignal } from '../transports/cloudflare/counted-signal.ts';
import { countControllers } from './count-controllers.ts';

describe('a lazy controller', () => {
  it('aborts the signal that somebody asked for', () => {
    const controller = new LazyController();
    const { signal } = controller;
    expect([signal.aborted, controller.aborted]).toEqual([false, false]);
    controller.abort();
    expect([signal.aborted, controller.aborted]).toEqual([true, true]);
    expect(controller.signal).toBe(signal);
  });

  it('gives an aborted signal to who asks afterwards, with a reason of its own', () => {
    const controller = new LazyController();
    controller.throwIfAborted();
    controller.abort();
    expect(controller.signal.aborted).toBe(true);
    expect(() => controller.throwIfAborted()).toThrow(expect.objectContaining({ name: 'AbortError' }));
  });

  it('tells each who listens once, and nobody who has stopped', () => {
    const controller = new LazyController();
    const [first, second, third] = [vi.fn(), vi.fn(), vi.fn()];
    controller.onAbort(first);
    controller.onAbort(second)();
    controller.onAbort(third);
    controller.abort();
    controller.abort();
    expect([first, second, third].map(({ mock }) => mock.calls.length)).toEqual([1, 0, 1]);
  });

  it('tells nobody whom another has just stopped', () => {
    const controller = new LazyController();
    const [stopped, last] = [vi.fn(), vi.fn()];
    let stop: () => void = () => undefined;
    controller.onAbort(() => stop());
    stop = controller.onAbort(stopped);
    controller.onAbort(last);
    controller.abort();
    expect([stopped.mock.calls.length, last.mock.calls.length]).toEqual([0, 1]);
  });
});

describe('options with a lazy signal', () => {
  const optionsOf = (controller: LazyController) => controller.addTo({ timeoutMs: 1_000 });

  it('have it made when it is read', () => {
    const made = countControllers();
    const controller = new LazyController();
    const options = optionsOf(controller);
    expect(made()).toBe(0);
    expect(options.signal).toBeInstanceOf(AbortSignal);
    expect(options.signal).toBe(controller.signal);
    expect(options.signal).toBe(options.signal);
    expect(made()).toBe(1);
  });

  it('may be spread, named and rest', () => {
    const controller = new LazyController();
    const options = optionsOf(controller);
    const { timeoutMs, ...rest } = options;
    expect(timeoutMs).toBe(1_000);
    expect({ ...options }).toEqual({ timeoutMs: 1_000, signal: controller.signal });
    expect(rest).toEqual({ signal: controller.signal });
    expect(Object.keys(options)).toEqual(['timeoutMs', 'signal']);
  });

  it('take another one', () => {
    const controller = new LazyController();
    const other = new AbortController().signal;
    const [assigned, defined, deleted] = [optionsOf(controller), optionsOf(controller), optionsOf(controller)];
    Object.assign(assigned, { signal: other });
    Object.defineProperty(defined, 'signal', { value: other });
    expect(Reflect.deleteProperty(deleted, 'signal')).toBe(true);
    expect([assigned, defined, deleted].map(abortStateOf)).toEqual([other, other, undefined]);
    expect(assigned).toEqual({ timeoutMs: 1_000, signal: other });
  });
});

describe('abortStateOf()', () => {
  it('is the controller itself, with no signal made', () => {
    const made = countControllers();
    const controller = new LazyController();
    const state = abortStateOf(controller.addTo({}));
    expect(state).toBe(controller);
    const told = vi.fn();
    whenAborted(state, told);
    controller.abort();
    expect(told).toHaveBeenCalledTimes(1);
    expect(made()).toBe(0);
  });

  it.each<[string, (options: { readonly signal: AbortSignal }, signal: AbortSignal) => object]>([
    ['a copy', (options, signal) => ({ ...options, signal })],
    ['what inherits from them', (options, signal) => Object.create(options, { signal: { value: signal } }) as object],
    [
      'a proxy',
      (options, signal) =>
        new Proxy(options, { get: (of, name) => (name === 'signal' ? signal : Reflect.get(of, name)) }),
    ],
    [
      'a proxy that knows nothing else',
      (options, signal) => new Proxy(options, { get: (_, name) => (name === 'signal' ? signal : undefined) }),
    ],
    ['options of somebody else', (_, signal) => ({ signal })],
  ])('goes by the signal of %s', (_, copy) => {
    const controller = new LazyController();
    const { controller: other, signal, count } = countedSignal();
    const state = abortStateOf(copy(controller.addTo({}), signal) as { signal: AbortSignal });
    const [told, notTold] = [vi.fn(), vi.fn()];
    const stop = whenAborted(state, notTold);
    whenAborted(state, told);
    stop();
    controller.abort();
    expect([state.aborted, told.mock.calls.length]).toEqual([false, 0]);
    state.throwIfAborted();
    other.abort('enough');
    expect([state.aborted, told.mock.calls.length, notTold.mock.calls.length]).toEqual([true, 1, 0]);
    expect(state.reason).toBe('enough');
    expect(() => state.throwIfAborted()).toThrow('enough');
    expect(count()).toBe(0);
  });

  it('is nothing without a signal', () => {
    expect(abortStateOf({} as { readonly signal?: AbortSignal })).toBeUndefined();
  });
});
