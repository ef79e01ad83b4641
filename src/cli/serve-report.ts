import type { BrokerServer } from '../broker/broker-server.ts';
import type { QueueConnection } from '../broker/queue-connection.ts';
import type { NeededNoProxy } from './no-proxy.ts';
import type { ServeConfig } from './serve-config.ts';

/** What `serve` tells when it listens. */
export interface ServeDetails {
  readonly server: BrokerServer;
  readonly connections: readonly QueueConnection[];
  /** What is served under a name of the configuration: another queue than that, when it was renamed. */
  readonly configured: ReadonlyMap<string, QueueConnection>;
  readonly config: ServeConfig;
  readonly noProxy: NeededNoProxy | undefined;
}

/** What to export, as a shell takes it: everything else is a comment. */
export function serveReport({ server, connections, configured, config, noProxy }: ServeDetails): string {
  const { accountId, apiToken } = credentialsOf(server);
  const renamed = [...configured].filter(([name, { queueName }]) => name !== queueName);
  const lines = [
    `# leasestream serves the HTTP API of Cloudflare Queues at ${server.baseUrl}`,
    `# ${config.data === undefined ? 'in memory' : `kept in ${config.data}`}; Ctrl-C ends it`,
    ...(config.page ? [`# a page for people: ${pageOf(server)}`] : []),
    ...renamed.map(([name, { queueName }]) => renameNotice(name, queueName, configured.has(queueName))),
    `export CLOUDFLARE_BASE_URL=${quote(server.baseUrl)}`,
    `export CLOUDFLARE_ACCOUNT_ID=${quote(accountId)}`,
    `export CLOUDFLARE_API_TOKEN=${quote(apiToken)}`,
    ...connections.map(({ queueName, queueId }) => `export ${variableOf(queueName)}=${queueId}`),
    ...renamed.map(([name, { queueId }]) => `export ${variableOf(name)}=${queueId}`),
    ...(noProxy === undefined ? [] : exportsOf(noProxy)),
  ];
  return `${lines.join('\n')}\n`;
}

function exportsOf({ proxyVariable, variables, value }: NeededNoProxy): readonly string[] {
  const why = `# ${proxyVariable} is set: Bun, Deno, curl and others would ask that proxy for this server, too`;
  return [why, ...variables.map((name) => `export ${name}=${quote(value)}`)];
}

function renameNotice(name: string, now: string, isConfigured: boolean): string {
  const settings = isConfigured ? 'that' : `'${name}'`;
  return `# the queue '${name}' was renamed: it is '${now}' now, and has the settings given for ${settings}`;
}

/** The same as one line of JSON. */
export function serveReportJson({ server, connections, configured, noProxy }: ServeDetails): string {
  const renames = [...configured].filter(([name, { queueName }]) => name !== queueName);
  const renamed = Object.fromEntries(renames.map(([name, { queueName }]) => [name, queueName]));
  const queues = connections.map(({ queueName: name, queueId: id }) => ({ name, id }));
  const needed = noProxy && { noProxy: noProxy.value };
  return `${JSON.stringify({ baseUrl: server.baseUrl, ...credentialsOf(server), queues, ...needed, ...(renames.length > 0 && { renamed }) })}\n`;
}

// After the #, where it is sent to nobody.
function pageOf({ baseUrl, apiToken }: BrokerServer): string {
  return `${new URL('/', baseUrl).href}#token=${encodeURIComponent(apiToken)}`;
}

function credentialsOf({ accountId, apiToken }: BrokerServer): { accountId: string; apiToken: string } {
  return { accountId, apiToken };
}

/** `QUEUE_ID_FAILED_JOBS` for `failed-jobs`. */
function variableOf(queueName: string): string {
  return `QUEUE_ID_${queueName.toUpperCase().replaceAll('-', '_')}`;
}

function quote(text: string): string {
  return /^[\w:/.-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
