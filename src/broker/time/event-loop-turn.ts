// Taken here, since a test may put others in their place that stand still until it moves them.
const { setImmediate, setTimeout, process } = globalThis as Partial<typeof globalThis>;

// jsdom hides Node's.
const MessageChannel =
  (globalThis as Partial<typeof globalThis>).MessageChannel ??
  process?.getBuiltinModule?.('node:worker_threads').MessageChannel;

/** Whether `setImmediate` was the real one when it was taken; known once it has been seen to fire by itself. */
let isReal = false;
let isTried = false;

/**
 * Calls back in the next turn of the real event loop, after all promise work that is pending now, whatever timers somebody
 * fakes.
 *
 * A message of a channel, which nobody fakes, has the next turn for certain; `setImmediate`, where there is one, at less
 * cost.
 */
export function callNextTurn(callback: () => void): void {
  if (isReal || MessageChannel === undefined) callSoon(callback);
  else {
    if (!isTried) tryImmediate();
    post(callback);
  }
}

function callSoon(callback: () => void): void {
  if (setImmediate === undefined) setTimeout?.(callback, 0);
  else setImmediate(callback);
}

/** A real `setImmediate` comes before the turn after the next one. A faked one is left to whoever faked it. */
function tryImmediate(): void {
  isTried = true;
  let isLate = false;
  setImmediate?.(() => {
    isReal = !isLate;
  });
  post(() =>
    post(() => {
      isLate = true;
    }),
  );
}

/** A channel for each: two messages of one may come in the same turn. */
function post(callback: () => void): void {
  if (MessageChannel === undefined) return;
  const { port1, port2 } = new MessageChannel();
  const receive = (): void => {
    port1.close();
    callback();
  };
  port1.addEventListener('message', receive, { once: true });
  port1.start();
  port2.postMessage(undefined);
}

/** Resolves after `turns` turns of the real event loop. */
export async function passTurns(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) {
    await new Promise<void>((resolve) => callNextTurn(resolve));
  }
}
