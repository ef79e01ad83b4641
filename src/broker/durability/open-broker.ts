import type { AsyncDisposal } from '../../contract/async-disposal.ts';
import type { Broker } from '../broker.ts';
import { brokerOptionNames, type BrokerOptions, resolveBrokerOptions } from '../broker-options.ts';
import { checkNames } from '../../contract/check-names.ts';
import { DurableLog } from './durable-log.ts';
import { createBrokerOver } from '../in-memory-broker.ts';
import { Identities } from '../queue/identities.ts';
import { readBroker } from './records.ts';

/** How a durable broker is made. */
export interface DurableBrokerOptions extends BrokerOptions {
  /** Where it keeps its queues, made if it is absent. One broker at a time may have it open. */
  readonly directory: string;
}

/** A broker that keeps its queues in a directory. */
export interface DurableBroker extends Broker, AsyncDisposal {
  /**
   * Writes what is not written yet, and gives the directory free. The broker is of no more use then.
   *
   * @throws Error when a write failed, now or before: what was not confirmed may be lost
   */
  close(): Promise<void>;
}

/**
 * Opens a broker that keeps its queues, messages, attempts, delays and leases in a directory. What was answered with
 * success is there after a restart, a kill, and (as far as the disk keeps what it said it wrote) a power cut. Leases go on
 * where they were: time that passes while the broker is closed counts.
 *
 * Needs Node.js and the package `classic-level`, an optional peer: `npm install classic-level`. When a write fails, say as
 * the disk is full, all calls are answered with 500 from then on, until it is opened again.
 *
 * `push()`, `subscribe()` and `emitEvent()` of the broker itself are kept with the next answer, or by `close()`. Ids of queues
 * are kept, and the names that they had before a rename: `queues` may go on naming them by those.
 *
 * @param options - `queues` are laid over the ones that are there
 * @example
 * ```ts
 * import { mkdtemp, rm } from 'node:fs/promises';
 * import { openQueue } from 'leasestream';
 * import { openBroker } from 'leasestream/broker';
 *
 * const directory = await mkdtemp('/tmp/broker-');
 * {
 *   await using broker = await openBroker({ directory });
 *   await openQueue<string>(broker.queue('jobs')).send('remember me');
 * }
 * await using broker = await openBroker({ directory });
 * console.log(broker.inspect('jobs').messages[0]?.body); // remember me
 * await rm(directory, { recursive: true });
 * ```
 * @throws TypeError or RangeError for a wrong option; Error when the directory can't be opened, or the package is missing
 */
export async function openBroker(options: DurableBrokerOptions): Promise<DurableBroker> {
  checkNames('open a broker', options, { kind: 'option', allowed: ['directory', ...brokerOptionNames] });
  const { directory, ...others } = options;
  if (typeof directory !== 'string' || directory === '') {
    throw new TypeError("Cannot open a broker as 'directory' must be the path of a directory");
  }
  const resolved = resolveBrokerOptions(others);
  // Not a static import: everything else here runs anywhere.
  const { openLevelStore } = await import('./level-store.ts');
  const store = await openLevelStore(directory);
  try {
    const saved = await readBroker(store);
    const identities = new Identities(resolved.random, saved.identities);
    const recorder = new DurableLog(store, identities);
    const broker = createBrokerOver({ options: others, resolved, identities, recorder, saved });
    let closed: Promise<void> | undefined;
    const end = async (): Promise<void> => {
      try {
        await recorder.flush();
      } catch (cause) {
        throw new Error(`Not all was kept in ${directory}: ${String(cause)}`, { cause });
      } finally {
        await store.close();
      }
    };
    const close = (): Promise<void> => (closed ??= end());
    await recorder.flush();
    return Object.assign(broker, { close, [Symbol.asyncDispose]: close });
  } catch (error) {
    await store.close();
    throw error;
  }
}
