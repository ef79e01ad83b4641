/** What a contender has to do. */
export interface Scenario {
  /** How long a request takes, there and back, in milliseconds. */
  readonly roundTripMs: number;
  /** How long a handler takes, in milliseconds. */
  readonly handlerMs: number;
  /** The length of a body, in bytes. */
  readonly bodyBytes: number;
}

/** Every combination; the quick run takes those that the bars are about. */
export const scenarios: readonly Scenario[] = [200, 10_000].flatMap((bodyBytes) =>
  [0, 10].flatMap((handlerMs) => [0, 20, 100].map((roundTripMs) => ({ roundTripMs, handlerMs, bodyBytes }))),
);

export const quickScenarios: readonly Scenario[] = [
  { roundTripMs: 0, handlerMs: 0, bodyBytes: 200 },
  { roundTripMs: 20, handlerMs: 10, bodyBytes: 200 },
];

/** What the sinks are compared in: messages are pushed, so that nothing handles them. */
export const pushScenarios: readonly Scenario[] = [0, 20].map((roundTripMs) => ({
  roundTripMs,
  handlerMs: 0,
  bodyBytes: 200,
}));

/** A body of about so many bytes. */
export function bodyOf(n: number, bodyBytes: number): unknown {
  return { n, padding: 'x'.repeat(Math.max(0, bodyBytes - 40)) };
}

/** What a contender does: takes messages out of a queue, pushes them into one, or takes them out of recorded answers. */
export type Task = 'drain' | 'fill' | 'wire';

export function nameOf({ roundTripMs, handlerMs, bodyBytes }: Scenario, task: Task): string {
  const handler = task === 'drain' ? `handler ${handlerMs} ms, ` : '';
  return `round trip ${roundTripMs} ms, ${handler}${bodyBytes} B`;
}

/** What a contender did in its time. */
export interface Measured {
  readonly handled: number;
  readonly elapsedMs: number;
  readonly cpuMs: number;
  readonly requests: number;
}

/** What a contender has to do, where it finds its queue, and how long it has. */
export interface Assignment extends Scenario {
  readonly task: Task;
  readonly contender: string;
  readonly connection: {
    readonly accountId: string;
    readonly queueId: string;
    readonly apiToken: string;
    readonly baseUrl: string;
  };
  readonly durationMs: number;
}
