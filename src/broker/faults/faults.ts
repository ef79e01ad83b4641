import type { Clock } from '../../contract/clock.ts';
import { delay } from '../../contract/delay.ts';
import { type FaultOptions, type Faults, type FaultyCall, noFaults, resolveFaults } from './fault-options.ts';
import type { ApiAnswer, ApiHandler } from '../http/api-exchange.ts';
import { Refusal, refusals } from '../http/refusal.ts';
import { basePath } from '../http/routes.ts';
import { seededRandom } from './seeded-random.ts';
import { answerRefusal } from '../http/wire-answers.ts';

/** The connection ended without an answer. It is what the platform's `fetch` rejects with. */
export class Disconnection extends TypeError {
  constructor() {
    super('fetch failed');
  }
}

/** Lets requests go wrong, as it is told while the broker runs. */
export class FaultInjector {
  readonly #clock: Clock;
  #options: FaultOptions = {};
  #faults: Faults = noFaults;
  #random = seededRandom(noFaults.seed);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What was set last. */
  get options(): FaultOptions {
    return this.#options;
  }

  /** Whether answers take time. */
  get isSlow(): boolean {
    return this.#faults.latencyMs[1] > 0;
  }

  /** Puts faults in the place of those before, and begins with their seed. @throws TypeError or RangeError */
  set(options: FaultOptions): void {
    this.#faults = resolveFaults(options);
    this.#options = options;
    this.#random = seededRandom(this.#faults.seed);
  }

  /** Whether the message of a delivery stays visible. */
  readonly repeats = (): boolean => this.#happens(this.#faults.repeat);

  /** Gives back the handler with the faults around it. What is not of the service's API is left alone. */
  wrap(handler: ApiHandler): ApiHandler {
    return async (request) => {
      const call = callOf(new URL(request.url).pathname);
      const faults = this.#faults;
      if (call === undefined || !faults.calls.includes(call)) return handler(request);
      await this.#wait(faults.latencyMs);
      if (this.#happens(faults.rateLimit)) return answerRefusal(refusals.rateLimited(faults.retryAfterSeconds));
      if (this.#happens(faults.failBefore)) return fail(faults.failWith);
      const response = await handler(request);
      return this.#happens(faults.failAfter) ? fail(faults.failWith) : response;
    };
  }

  #happens(share: number): boolean {
    return share > 0 && this.#random() < share;
  }

  async #wait([least, most]: readonly [number, number]): Promise<void> {
    if (most > 0) await delay(undefined, this.#clock, least + this.#random() * (most - least));
  }
}

function fail(failWith: Faults['failWith']): ApiAnswer {
  switch (failWith) {
    case 'error':
      return answerRefusal(new Refusal(500, 15_000, 'Unknown internal error'));
    case 'html':
      return {
        status: 502,
        headers: { 'content-type': 'text/html' },
        text: '<html><body><h1>502 Bad Gateway</h1></body></html>',
      };
    case 'disconnect':
      throw new Disconnection();
  }
}

const calls: ReadonlyMap<string, FaultyCall> = new Map<string, FaultyCall>([
  ['/messages', 'push'],
  ['/messages/batch', 'push'],
  ['/messages/pull', 'pull'],
  ['/messages/ack', 'ack'],
  ['/messages/peek', 'peek'],
  ['/messages/purge', 'purge'],
  ['/purge', 'purge'],
  ['/metrics', 'metrics'],
]);

function callOf(pathname: string): FaultyCall | undefined {
  if (!pathname.startsWith(`${basePath}/`)) return undefined;
  const [, rest = ''] = /\/queues\/[^/]+(\/.+)$/.exec(pathname) ?? [];
  return calls.get(rest) ?? 'manage';
}
