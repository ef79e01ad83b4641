/** What was asked of the service, as it reads after `Cannot`. */
export type Action =
  | 'push'
  | 'bulk push'
  | 'pull'
  | 'ack'
  | 'peek'
  | 'purge'
  | 'read metrics'
  | 'read queue'
  | 'list queues';
