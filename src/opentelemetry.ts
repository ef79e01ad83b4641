export type { Observer } from './contract/observer.ts';
export { inField } from './observe/body-context.ts';
export { contextOf } from './observe/observed-spans.ts';
export { observeWithOpenTelemetry } from './observe/opentelemetry.ts';
export type { BodyPropagation, Carrier, OpenTelemetryOptions } from './observe/opentelemetry-options.ts';
