export {
  type ConsumeOptions,
  type Consumer,
  type LeasedMessage,
  type MessageSource,
  type RetryDelay,
  settleMap,
  type SettleMapOptions,
  type SourceOptions,
  toObservable,
} from './convert/observable.ts';
