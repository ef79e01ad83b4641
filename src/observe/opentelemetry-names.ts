// The names of the messaging conventions, release 1.45.0. They are in development there, so that the package that has them
// as constants may not be depended on for them.

/** Of attributes. */
export const attribute = {
  system: 'messaging.system',
  destination: 'messaging.destination.name',
  operationName: 'messaging.operation.name',
  operationType: 'messaging.operation.type',
  batchCount: 'messaging.batch.message_count',
  messageId: 'messaging.message.id',
  errorType: 'error.type',
  serverAddress: 'server.address',
  serverPort: 'server.port',
} as const;

/** Of metrics. */
export const metric = {
  operationDuration: 'messaging.client.operation.duration',
  processDuration: 'messaging.process.duration',
  sentMessages: 'messaging.client.sent.messages',
  consumedMessages: 'messaging.client.consumed.messages',
} as const;

/** What the conventions have no name for. */
export const own = {
  system: 'cloudflare_queues',
  deliveryAttempts: 'messaging.cloudflare_queues.message.delivery_attempts',
  settledAs: 'messaging.cloudflare_queues.message.settled_as',
} as const;

/** Durations in seconds, as the conventions say. */
export const durationBoundaries: number[] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
