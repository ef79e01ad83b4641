/** A product that tells of events. */
export interface EventSource {
  /** What its `source` has beside the type, as the API names it. */
  readonly fields: readonly string[];
  /** The types of its events, without what comes before them in a message; absent where no documentation lists them. */
  readonly events?: readonly string[];
}

/**
 * The sources of event subscriptions.
 *
 * @see https://developers.cloudflare.com/queues/event-subscriptions/events-schemas/ for all but those without events,
 * which wrangler and the SDKs name
 */
export const eventSources: ReadonlyMap<string, EventSource> = new Map<string, EventSource>([
  ['access', { fields: [], events: ['application.created', 'application.deleted'] }],
  ['artifacts', { fields: [], events: ['repo.created', 'repo.deleted', 'repo.forked', 'repo.imported'] }],
  [
    'artifacts.repo',
    { fields: ['namespace', 'repo_name'], events: ['pushed', 'cloned', 'fetched', 'token.created', 'token.revoked'] },
  ],
  ['browserRun', { fields: [] }],
  [
    'email.sending',
    {
      fields: ['zone_id', 'domain'],
      events: ['delivered', 'deferred', 'bounced', 'failed', 'rejected', 'complained'].map((end) => `message.${end}`),
    },
  ],
  ['images', { fields: [] }],
  ['kv', { fields: [], events: ['namespace.created', 'namespace.deleted'] }],
  ['r2', { fields: [], events: ['bucket.created', 'bucket.deleted'] }],
  ['stream', { fields: [] }],
  [
    'superSlurper',
    {
      fields: [],
      events: ['started', 'paused', 'resumed', 'completed', 'aborted', 'object.migrated'].map((end) => `job.${end}`),
    },
  ],
  ['vectorize', { fields: [], events: ['index.created', 'index.deleted'] }],
  ['workers.script', { fields: ['script_tag'] }],
  ['workersAi.model', { fields: ['model_name'], events: ['batch.queued', 'batch.succeeded', 'batch.failed'] }],
  [
    'workersBuilds.worker',
    { fields: ['worker_name'], events: ['started', 'failed', 'canceled', 'succeeded'].map((end) => `build.${end}`) },
  ],
  [
    'workflows.workflow',
    {
      fields: ['workflow_name'],
      events: ['queued', 'started', 'paused', 'errored', 'terminated', 'completed'].map((end) => `instance.${end}`),
    },
  ],
]);
