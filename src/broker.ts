export type { Clock, Timer } from './contract/clock.ts';
export type { ContentType } from './contract/message.ts';
export type { QueueTransport } from './contract/transport.ts';
export {
  type Broker,
  type BrokerFetch,
  type BrokerServer,
  createBroker,
  type InProcessConnection,
  type QueueConnection,
} from './transports/broker/broker.ts';
export type { SubscribedEvent } from './transports/broker/emit-event.ts';
export type { EventSubscription } from './transports/broker/subscribe.ts';
export type { QueueProducer } from './transports/broker/producers.ts';
export type { BehaviourOptions } from './transports/broker/behaviour.ts';
export type { BrokerOptions } from './transports/broker/broker-options.ts';
export type { FaultOptions, FaultyCall } from './transports/broker/fault-options.ts';
export type { JournalEntry, JournalEntryBase, JournalListener } from './transports/broker/journal.ts';
export type { ListenOptions } from './transports/broker/listen.ts';
export { ManualClock } from './transports/broker/manual-clock.ts';
export type { RequestLimit } from './transports/broker/request-limit.ts';
export { type DurableBroker, type DurableBrokerOptions, openBroker } from './transports/broker/open-broker.ts';
export type { Jurisdiction, QueueSettings } from './transports/broker/settings.ts';
export type { MessageSnapshot, QueueSnapshot } from './transports/broker/snapshot.ts';
export type { WorkerMessage } from './transports/broker/worker-push.ts';
