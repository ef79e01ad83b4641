import type { ChildProcess } from 'node:child_process';
import { start } from '../processes.ts';
import type { Connection } from './service.ts';

/** What a consumer in a process of its own does. */
export interface WorkerPlan {
  readonly connection: Connection;
  readonly concurrency: number;
  readonly handlerMs: number;
  readonly visibilityTimeoutMs: number;
  /** One message in so many kills the process. */
  readonly poisonOneIn?: number;
}

/** Starts a consumer in a process of its own. */
export function startWorker(plan: WorkerPlan): ChildProcess {
  return start('field/worker-process', [], [JSON.stringify(plan)]);
}
