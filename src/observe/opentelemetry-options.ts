import { type MeterProvider, metrics, trace, type TracerProvider } from '@opentelemetry/api';

import { checkFunction, checkOptions, rule } from '../contract/check-options.ts';

/** What a trace context is carried in: `traceparent`, and whatever else the propagators set. */
export type Carrier = Readonly<Record<string, string>>;

/** How a trace context travels in a body, since the service carries no headers. */
export interface BodyPropagation {
  /**
   * Gives the body with the carrier in it; the same body where it can't carry one. Called once for each message that is sent.
   *
   * @throws anything: the send rejects with a TypeError that says so, as it does where the queue can't carry what was given
   */
  readonly inject: (body: unknown, carrier: Carrier) => unknown;
  /**
   * Gives the carrier of a body as it came, before a schema or `decode`; `undefined` where there is none. Where it throws, the
   * message has none.
   */
  readonly extract: (body: unknown) => Carrier | undefined;
}

/** What is told to OpenTelemetry, and how. */
export interface OpenTelemetryOptions {
  /** What spans are made with. @defaultValue the global one */
  readonly tracerProvider?: TracerProvider;
  /** What metrics are made with. @defaultValue the global one */
  readonly meterProvider?: MeterProvider;
  /**
   * How a trace context travels in bodies; `inField()` makes the way for JSON objects. The propagators are the global ones.
   *
   * @defaultValue `'none'`
   */
  readonly propagation?: 'none' | BodyPropagation;
  /**
   * Whether the service is asked for its view of the queues that are consumed whenever metrics are collected: a request for
   * each. Without it the backlog is what the last pull said, and nothing tells the age of the oldest message.
   *
   * @defaultValue true
   */
  readonly queueMetrics?: boolean;
}

/** {@link OpenTelemetryOptions} with every default filled in. */
export interface ResolvedOpenTelemetryOptions {
  readonly tracerProvider: TracerProvider;
  readonly meterProvider: MeterProvider;
  readonly propagation: BodyPropagation | undefined;
  readonly queueMetrics: boolean;
}

const action = 'observe with OpenTelemetry';
const names: readonly string[] = [
  'tracerProvider',
  'meterProvider',
  'propagation',
  'queueMetrics',
] satisfies (keyof OpenTelemetryOptions)[];

/** @throws TypeError that names the option, what it must be, and its value */
export function resolveOpenTelemetryOptions(options: OpenTelemetryOptions): ResolvedOpenTelemetryOptions {
  checkOptions(action, options);
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue;
    throw new TypeError(`Cannot ${action} as '${name}' is no option: the options are ${names.join(', ')}`);
  }
  const { propagation = 'none', queueMetrics = true } = options;
  const { tracerProvider = trace.getTracerProvider(), meterProvider = metrics.getMeterProvider() } = options;
  if (typeof (tracerProvider as Partial<TracerProvider> | null)?.getTracer !== 'function')
    throw new TypeError(rule(action, 'tracerProvider', 'a TracerProvider', tracerProvider));
  if (typeof (meterProvider as Partial<MeterProvider> | null)?.getMeter !== 'function')
    throw new TypeError(rule(action, 'meterProvider', 'a MeterProvider', meterProvider));
  if (typeof queueMetrics !== 'boolean') throw new TypeError(rule(action, 'queueMetrics', 'a boolean', queueMetrics));
  if (propagation !== 'none') checkPropagation(propagation);
  return {
    tracerProvider,
    meterProvider,
    queueMetrics,
    propagation: propagation === 'none' ? undefined : propagation,
  };
}

function checkPropagation(propagation: BodyPropagation): void {
  if (typeof propagation !== 'object' || propagation === null)
    throw new TypeError(rule(action, 'propagation', "'none' or an object with 'inject' and 'extract'", propagation));
  checkFunction(action, 'propagation.inject', propagation.inject);
  checkFunction(action, 'propagation.extract', propagation.extract);
}
