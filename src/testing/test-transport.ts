import { checkFunction, rule } from '../contract/check-options.ts';
import { delay } from '../contract/delay.ts';
import { systemClock } from '../contract/system-clock.ts';
import type { QueueTransport } from '../contract/transport.ts';
import { transportChecks } from './transport-checks.ts';

/** A transport that is to be tested. */
export interface TestedTransport {
  /** To an empty queue that nobody else uses. */
  readonly transport: QueueTransport;
  /**
   * Lets so many milliseconds pass, as the queue sees it: `clock.advance` of a `ManualClock`, say.
   *
   * @defaultValue waits for so long: 11 seconds in all
   */
  readonly pass?: (ms: number) => unknown;
  /** Called when a check is over. */
  readonly close?: () => unknown;
}

/** One thing that a transport must keep. */
export interface TransportCheck {
  /** What it does, as it reads after "it". */
  readonly name: string;
  /** Rejects with an `Error` that says what was wrong. Checks may run side by side. */
  readonly run: () => Promise<void>;
}

/**
 * The checks of the port, for any test runner: what consumers and producers rely on, whatever queue is behind it.
 *
 * @param create - called once for each check: gives a transport to an empty queue of its own, at once or by a promise
 * @throws TypeError when `create` is no function
 * @example
 * ```ts
 * import { createBroker } from 'leasestream/broker';
 * import { ManualClock, testTransport } from 'leasestream/testing';
 *
 * const checks = testTransport(() => {
 *   const clock = new ManualClock();
 *   const broker = createBroker({ clock, leastVisibilityTimeoutMs: 1, queues: { jobs: {} } });
 *   return { transport: broker.transport('jobs'), pass: (ms) => clock.advance(ms) };
 * });
 * // In a test file: for (const { name, run } of checks) it(name, run);
 * for (const { run } of checks) await run();
 * ```
 */
export function testTransport(create: () => TestedTransport | Promise<TestedTransport>): readonly TransportCheck[] {
  checkFunction('test a transport', 'create', create);
  return Object.entries(transportChecks).map(([name, check]) => ({
    name,
    run: async () => {
      const { transport, pass = wait, close } = checkTested(await create());
      try {
        await check({ transport, pass: async (ms) => void (await pass(ms)) });
      } finally {
        await close?.();
      }
    },
  }));
}

function wait(ms: number): Promise<void> {
  return delay(undefined, systemClock, ms);
}

function checkTested(tested: TestedTransport): TestedTransport {
  if (typeof (tested as Partial<TestedTransport> | undefined)?.transport?.pull !== 'function')
    throw new TypeError(rule('test a transport', 'create()', '{ transport, pass, close }', tested));
  return tested;
}
