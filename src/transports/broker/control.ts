import type { FaultOptions } from './fault-options.ts';
import type { FaultInjector } from './faults.ts';
import { refusals } from './refusal.ts';
import { readJsonObject } from './request-body.ts';

/** Where the broker is told what the service can't be told. */
export const faultsPath = '/leasestream/faults';

/**
 * `GET`, `PUT` and `DELETE /leasestream/faults`: what shall go wrong, as {@link FaultOptions} in JSON. `PUT` replaces all
 * of it, `DELETE` ends it.
 *
 * @returns the faults in force afterwards
 */
export async function controlFaults(request: Request, faults: FaultInjector): Promise<FaultOptions> {
  switch (request.method) {
    case 'GET':
      break;
    case 'PUT':
      setFaults(faults, await readJsonObject(request));
      break;
    case 'DELETE':
      faults.set({});
      break;
    default:
      throw refusals.methodNotAllowed(request.method);
  }
  return faults.options;
}

function setFaults(faults: FaultInjector, options: FaultOptions): void {
  try {
    faults.set(options);
  } catch (error) {
    throw refusals.invalid(error instanceof Error ? error.message : String(error));
  }
}
