import type { Clock } from '../../src/contract/clock.ts';
import { delay } from '../../src/contract/delay.ts';
import type { Client, ClientRun } from './client.ts';

/** Keeps one client of a schedule running: when its process vanishes, another takes its place after a while. */
export class Supervisor {
  readonly #start: () => Client;
  readonly #clock: Clock;
  readonly #restartMs: number;
  #client: Client | undefined;
  /** It was told to end when there was no process to tell. */
  #isStopped = false;

  /** @param start - starts a process */
  constructor(start: () => Client, clock: Clock, restartMs: number) {
    this.#start = start;
    this.#clock = clock;
    this.#restartMs = restartMs;
  }

  /** Resolves when nothing runs any more and nothing is to be started, with what each of the processes did. */
  async run(): Promise<readonly ClientRun[]> {
    const runs: ClientRun[] = [];
    while (!this.#isStopped) {
      this.#client = this.#start();
      const run = await this.#client.end();
      runs.push(run);
      // What was told to end need not be there any more.
      if (run.crashed === undefined || run.endings.length > 0) break;
      await delay(undefined, this.#clock, this.#restartMs);
    }
    return runs;
  }

  /** Tells it to end. */
  stop(tell: (client: Client) => void): void {
    this.#isStopped ||= this.#client?.hasVanished === true;
    this.tell(tell);
  }

  /** Does something to the process, if there is one. */
  tell(tell: (client: Client) => void): void {
    if (this.#client?.hasVanished === false) tell(this.#client);
  }
}
