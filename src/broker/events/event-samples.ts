type Payload = Readonly<Record<string, unknown>>;

const bucket = { name: 'sample-bucket', jurisdiction: 'default' };
const counts = { totalObjectsCount: 100, skippedObjectsCount: 1, migratedObjectsCount: 98, failedObjectsCount: 1 };
const job = { id: 'sample-job' };

/**
 * What the payload of an event looks like: the documented fields with values that are none of anybody's.
 *
 * @param at - when it happened, as an ISO 8601 time
 * @returns `{}` where no documentation shows one
 * @see https://developers.cloudflare.com/queues/event-subscriptions/events-schemas/
 */
export function samplePayload(sourceType: string, event: string, at: string): Payload {
  switch (sourceType) {
    case 'r2':
      return event === 'bucket.created' ? { ...bucket, location: 'WEUR', storageClass: 'Standard' } : bucket;
    case 'kv':
    case 'access':
      return { id: 'sample-id', name: 'sample-name' };
    case 'vectorize':
      return sampleIndex(event, at);
    case 'workersAi.model':
      return event === 'batch.failed'
        ? { requestId: 'sample-request', message: 'It failed', internalCode: 5001, httpCode: 500 }
        : { requestId: 'sample-request' };
    case 'workersBuilds.worker':
      return sampleBuild(event, at);
    case 'workflows.workflow':
      return { versionId: 'sample-version', instanceId: 'sample-instance' };
    case 'superSlurper':
      return sampleMigration(event, at);
    default:
      return {};
  }
}

function sampleIndex(event: string, at: string): Payload {
  const name = 'sample-index';
  if (event !== 'index.created') return { name };
  return { name, description: 'A sample', createdAt: at, modifiedAt: at, dimensions: 768, metric: 'cosine' };
}

const builds = {
  'build.started': ['running', null],
  'build.failed': ['failed', 'failure'],
  'build.canceled': ['canceled', 'canceled'],
  'build.succeeded': ['success', 'success'],
} as const;

function sampleBuild(event: string, at: string): Payload {
  const [status, buildOutcome] = builds[event as keyof typeof builds] ?? builds['build.succeeded'];
  return {
    buildUuid: 'sample-build',
    status,
    buildOutcome,
    createdAt: at,
    initializingAt: at,
    runningAt: at,
    stoppedAt: buildOutcome === null ? null : at,
    buildTriggerMetadata: {
      buildTriggerSource: 'push_event',
      branch: 'main',
      commitHash: '0000000000000000000000000000000000000000',
      commitMessage: 'A sample',
      author: 'author@example.com',
      buildCommand: 'npm run build',
      deployCommand: 'npx wrangler deploy',
      rootDirectory: '/',
      repoName: 'sample-repository',
      providerAccountName: 'sample-account',
      providerType: 'github',
    },
  };
}

function sampleMigration(event: string, at: string): Payload {
  switch (event) {
    case 'job.started':
      return {
        ...job,
        createdAt: at,
        overwrite: false,
        pathPrefix: 'sample/',
        source: { provider: 's3', bucket: 'sample-source', region: 'eu-west-1', endpoint: 's3.example.com' },
        destination: { provider: 'r2', bucket: 'sample-bucket', jurisdiction: 'default' },
      };
    case 'job.completed':
    case 'job.aborted':
      return { ...job, ...counts };
    case 'job.object.migrated':
      return { key: 'sample/object' };
    default:
      return job;
  }
}
