export type { Clock, Timer } from './contract/clock.ts';
export type { QueueTransport } from './contract/transport.ts';
export { testTransport, type TestedTransport, type TransportCheck } from './testing/test-transport.ts';
export type { FaultOptions, FaultyCall } from './broker/faults/fault-options.ts';
export { ManualClock } from './broker/time/manual-clock.ts';
