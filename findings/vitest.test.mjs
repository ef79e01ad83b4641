import { expect, it, vi } from 'vitest';
it('clears it', async () => {
  const fired = vi.fn();
  const { setTimeout: real } = globalThis;
  const timer = setTimeout(fired, 10);
  vi.useFakeTimers();
  clearTimeout(timer);
  await new Promise((resolve) => real(resolve, 50));
  expect(fired).not.toHaveBeenCalled();
});
