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
} from './broker/broker.ts';
export type { SubscribedEvent } from './broker/events/emit-event.ts';
export type { EventSubscription } from './broker/events/subscribe.ts';
export type { QueueProducer } from './broker/queue/producers.ts';
export type { BehaviourOptions } from './broker/behaviour.ts';
export type { BrokerOptions } from './broker/broker-options.ts';
export type { FaultOptions, FaultyCall } from './broker/faults/fault-options.ts';
export type { JournalEntry, JournalEntryBase, JournalListener } from './broker/queue/journal.ts';
export type { ListenOptions } from './broker/http/listen.ts';
export { ManualClock } from './broker/time/manual-clock.ts';
export type { RequestLimit } from './broker/http/request-limit.ts';
export { type DurableBroker, type DurableBrokerOptions, openBroker } from './broker/durability/open-broker.ts';
export type { Jurisdiction, QueueSettings } from './broker/queue/settings.ts';
export type { MessageSnapshot, QueueSnapshot } from './broker/queue/snapshot.ts';
export type { WorkerMessage } from './broker/queue/worker-push.ts';
