export type { Clock, Timer } from './contract/clock.ts';
export type { QueueTransport } from './contract/transport.ts';
export { testTransport, type TestedTransport, type TransportCheck } from './testing/test-transport.ts';
export type { FaultOptions, FaultyCall } from './transports/broker/fault-options.ts';
export { ManualClock } from './transports/broker/manual-clock.ts';
