/**
 * Calls back in the next turn of the real event loop, after all promise work that is pending now.
 *
 * Node and Bun have `setImmediate`; elsewhere `setTimeout` with no delay comes closest.
 */
export function callNextTurn(callback: () => void): void {
  if (typeof setImmediate === 'function') setImmediate(callback);
  else setTimeout(callback, 0);
}

/** Resolves after `turns` turns of the real event loop. */
export async function passTurns(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) {
    await new Promise<void>((resolve) => callNextTurn(resolve));
  }
}
