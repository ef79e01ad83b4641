import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Collects all garbage. */
export function collectGarbage(): void {
  collect();
  // What the first one only marked as free.
  collect();
}

/** How many bytes of the heap are in use, without garbage. */
export function heapUsed(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}
